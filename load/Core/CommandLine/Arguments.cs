using System.Globalization;
using ZapierTriggers.Load.Core.Bodies;

namespace ZapierTriggers.Load.Core.CommandLine;

/// <summary>A command line that cannot be carried out; the message says what to type instead.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>Options of the form <c>--name value</c> or <c>--name</c>. Those that a command did not ask for are an error.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string?> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>Splits arguments into options.</summary>
    /// <exception cref="UsageException">An argument is no option, or an option comes twice.</exception>
    public static Arguments Parse(ReadOnlySpan<string> args)
    {
        var arguments = new Arguments();
        for (var i = 0; i < args.Length; i++)
        {
            var name = args[i];
            if (!name.StartsWith("--", StringComparison.Ordinal))
                throw new UsageException($"'{name}' is no option; options look like --rate 2000. See --help.");
            var value = i + 1 < args.Length && !args[i + 1].StartsWith("--", StringComparison.Ordinal) ? args[++i] : null;
            if (!arguments._values.TryAdd(name, value)) throw new UsageException($"{name} is given twice.");
        }

        return arguments;
    }

    /// <summary>Whether a flag is set.</summary>
    /// <exception cref="UsageException">It has a value.</exception>
    public bool Flag(string name)
    {
        if (!TryTake(name, out var value)) return false;
        return value is null ? true : throw new UsageException($"{name} takes no value, but has '{value}'.");
    }

    /// <summary>The text of an option, or null if it is absent.</summary>
    /// <exception cref="UsageException">It has no value.</exception>
    public string? Text(string name) =>
        !TryTake(name, out var value) ? null : value ?? throw new UsageException($"{name} needs a value.");

    /// <summary>A number above 0.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public double Number(string name, double otherwise) => Number(name) ?? otherwise;

    /// <summary>A number above 0, or null if the option is absent.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public double? Number(string name)
    {
        if (Text(name) is not { } text) return null;
        return double.TryParse(text, CultureInfo.InvariantCulture, out var number) && number > 0 && double.IsFinite(number)
            ? number
            : throw new UsageException($"{name} needs a number above 0, not '{text}'.");
    }

    /// <summary>A whole number of at least 1.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public int Count(string name, int otherwise) => Count(name) ?? otherwise;

    /// <summary>A whole number of at least 1, or null if the option is absent.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public int? Count(string name) => Text(name) is { } text ? ToCount(name, text) : null;

    /// <summary>Whole numbers of at least 1, separated by commas.</summary>
    /// <exception cref="UsageException">One of them is none.</exception>
    public int[] Counts(string name, int[] otherwise) =>
        Text(name) is { } text ? [.. text.Split(',').Select(part => ToCount(name, part))] : otherwise;

    /// <summary>An http address without a path.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public Uri Url(string name, string? otherwise = null)
    {
        var text = Text(name) ?? otherwise ?? throw new UsageException($"{name} is needed, e.g. {name} http://localhost:8080");
        return Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttp && url.AbsolutePath == "/"
            ? url
            : throw new UsageException($"{name} needs an address like http://localhost:8080, not '{text}'.");
    }

    /// <summary>A dedup mode.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public DedupMode Dedup(string name, DedupMode otherwise)
    {
        if (Text(name) is not { } text) return otherwise;
        try
        {
            return DedupMode.Parse(text);
        }
        catch (FormatException exception)
        {
            throw new UsageException($"{name}: {exception.Message}");
        }
    }

    /// <summary>Call when all options have been asked for.</summary>
    /// <exception cref="UsageException">There is one that nobody asked for.</exception>
    public void RefuseOthers()
    {
        var other = _values.Keys.FirstOrDefault(name => !_known.Contains(name));
        if (other is not null)
            throw new UsageException($"{other} is not known here; there are {string.Join(", ", _known.Order(StringComparer.Ordinal))}.");
    }

    private static int ToCount(string name, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0
            ? count
            : throw new UsageException($"{name} needs a whole number of at least 1, not '{text}'.");

    private bool TryTake(string name, out string? value)
    {
        _known.Add(name);
        return _values.TryGetValue(name, out value);
    }
}
