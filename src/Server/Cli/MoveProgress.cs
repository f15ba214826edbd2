using System.Globalization;

namespace ZapierTriggers.Server.Cli;

/// <summary>
/// How far a long command is: on a terminal one line with a bar that is written again and again, elsewhere a line every few seconds.
/// </summary>
internal sealed class MoveProgress(TextWriter output, bool terminal, TimeProvider time)
{
    private const int BarWidth = 24;
    private static readonly TimeSpan BarEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(5);

    private string _what = "";
    private long _began;
    private long _told;

    /// <summary>Tells it, unless it was told just now; the end is always told.</summary>
    public void Tell(string verb, string table, long done, long total)
    {
        var what = $"{table} {verb}";
        var now = time.GetTimestamp();
        if (what != _what) (_what, _began, _told) = (what, now, now);
        var isEnd = done >= total;
        if (!isEnd && time.GetElapsedTime(_told, now) < (terminal ? BarEvery : LineEvery)) return;
        _told = now;
        var line = Line(what, done, total, time.GetElapsedTime(_began, now));
        if (terminal) output.Write($"\r{line}\u001b[K");
        else if (!isEnd) output.WriteLine(line);
    }

    /// <summary>Takes the bar away.</summary>
    public void End()
    {
        if (terminal) output.Write("\r\u001b[K");
    }

    private string Line(string what, long done, long total, TimeSpan elapsed)
    {
        var rate = elapsed.TotalSeconds > 0 ? done / elapsed.TotalSeconds : 0;
        var rest = rate > 0 ? TimeSpan.FromSeconds(Math.Ceiling((total - done) / rate)) : TimeSpan.Zero;
        var filled = total == 0 ? BarWidth : (int)(Math.Min(done, total) * BarWidth / total);
        var bar = terminal ? $"[{new string('#', filled)}{new string('-', BarWidth - filled)}] " : "";
        return string.Create(CultureInfo.InvariantCulture, $"{what,-26} {bar}{done:N0} of {total:N0}, {rate:N0} a second, {rest:c} left");
    }
}
