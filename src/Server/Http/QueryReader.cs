using System.Globalization;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Http;

/// <summary>
/// Reads query parameters one by one and keeps the first error. An empty value counts as absent, an unknown parameter is passed over.
/// </summary>
internal sealed class QueryReader(IQueryCollection query)
{
    /// <summary>The first parameter that cannot be taken; null = none.</summary>
    public FieldError? Error { get; private set; }

    /// <summary>A text of at most so many characters.</summary>
    public string? Text(string name, int most = 255)
    {
        var values = query[name];
        if (values.Count > 1) Refuse(name, $"was sent {values.Count} times; send it once.");
        if (values.Count != 1 || values[0] is not { Length: > 0 } text) return null;
        if (text.Length > most || text.Any(char.IsControl)) Refuse(name, $"must have at most {most} characters, and none that controls.");
        return text;
    }

    /// <summary>A whole number.</summary>
    public int Number(string name, int least, int most, int absent)
    {
        if (Text(name) is not { } text) return absent;
        var isNumber = !text.AsSpan().ContainsAnyExceptInRange('0', '9');
        if (isNumber && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least
            && number <= most)
            return number;
        Refuse(name, $"must be a whole number from {least} to {most}.");
        return absent;
    }

    /// <summary>A UUID.</summary>
    public Guid? Id(string name, string what)
    {
        if (Text(name) is not { } text) return null;
        if (UuidText.TryParse(text, out var id)) return id;
        Refuse(name, $"must be {what}.");
        return null;
    }

    /// <summary>A time.</summary>
    public DateTimeOffset? Time(string name)
    {
        if (Text(name) is not { } text) return null;
        if (TimeText.TryParse(text, out var time)) return time;
        Refuse(name, $"must be {TimeText.Form}.");
        return null;
    }

    /// <summary>Notes that a parameter cannot be taken; what to say follows its name.</summary>
    public void Refuse(string name, string detail) => Error ??= new FieldError(name, $"{name} {detail}");
}
