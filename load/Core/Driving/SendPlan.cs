namespace ZapierTriggers.Load.Core.Driving;

/// <summary>
/// When requests are to be sent, in nanoseconds from the start. An open plan is fixed beforehand and does not care how fast answers
/// come: latency counted from its times includes the wait that a stalled server causes (no coordinated omission). A closed plan is
/// always due.
/// </summary>
internal sealed class SendPlan
{
    private const double Second = 1e9;

    private readonly double _interval;
    private readonly double _offset;
    private readonly long _end;
    private readonly Random? _random;
    private double _next;
    private long _taken;

    private SendPlan(double interval, double offset, TimeSpan duration, Random? random)
    {
        _interval = interval;
        _offset = offset;
        _end = (long)(duration.TotalSeconds * Second);
        _random = random;
        _next = random is null ? offset : Gap();
    }

    /// <summary>Whether a request is sent as soon as a connection is free.</summary>
    public bool IsClosed => _interval == 0;

    /// <summary>The time of the next request; <see cref="long.MaxValue"/> when the plan is at its end.</summary>
    public long Next => _next < _end ? (long)_next : long.MaxValue;

    /// <summary>Equal gaps.</summary>
    /// <param name="rate">Requests per second.</param>
    /// <param name="duration">The plan's length.</param>
    /// <param name="phase">The first time as a share of a gap: threads that share a rate take turns.</param>
    public static SendPlan Constant(double rate, TimeSpan duration, double phase = 0) =>
        new(Second / rate, phase * Second / rate, duration, random: null);

    /// <summary>Independent arrivals: exponential gaps of mean 1 / rate. The sum of such plans is such a plan.</summary>
    public static SendPlan Poisson(double rate, TimeSpan duration, int seed) => new(Second / rate, 0, duration, new Random(seed));

    /// <summary>Each connection sends again as soon as it has its answer.</summary>
    public static SendPlan Closed(TimeSpan duration) => new(0, 0, duration, random: null);

    /// <summary>Takes the next request if it is due.</summary>
    /// <param name="now">Nanoseconds from the start.</param>
    /// <param name="intended">The time from which its latency counts.</param>
    public bool TryTake(long now, out long intended)
    {
        intended = IsClosed ? now : Next;
        if (intended > now || now >= _end && IsClosed) return false;
        _taken++;

        // Constant times are multiplied out, not added up, so that no rounding error grows.
        _next = _random is null ? _offset + _taken * _interval : _next + Gap();
        return true;
    }

    /// <summary>Whether nothing is left to send.</summary>
    public bool IsOver(long now) => IsClosed ? now >= _end : Next == long.MaxValue;

    /// <summary>Whether the plan's duration is over, though some of it may still wait to be sent.</summary>
    public bool EndsBy(long now) => now >= _end;

    /// <summary>Requests that are due and not taken; for a Poisson plan, their expected number.</summary>
    public long Backlog(long now)
    {
        const double Rounding = 1e-6; // A whole number of gaps may come out a little over.
        var until = Math.Min(now, _end);
        return IsClosed || _next >= until ? 0 : (long)Math.Ceiling((until - _next) / _interval - Rounding);
    }

    private double Gap() => -Math.Log(1 - _random!.NextDouble()) * _interval;
}
