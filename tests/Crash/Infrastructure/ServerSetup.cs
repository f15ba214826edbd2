using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>How a server is started: the same setup starts the same server again after its death.</summary>
internal sealed record ServerSetup
{
    /// <summary>The admin token of every server here.</summary>
    public const string AdminToken = "crash-tests-admin-token";

    /// <summary>Its data directory.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>A program and its arguments that runs the server in its own place (exec); empty = by itself.</summary>
    public IReadOnlyList<string> RunBy { get; init; } = [];

    /// <summary>Its port on loopback.</summary>
    public int Port { get; init; } = FreePort.Draw();

    /// <summary>Settings as environment variables.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Where it answers.</summary>
    public Uri Address => new($"http://127.0.0.1:{Port}");

    /// <summary>All environment variables of ours that the process gets.</summary>
    public IEnumerable<KeyValuePair<string, string>> Environment => new Dictionary<string, string>(Settings, StringComparer.Ordinal)
    {
        ["ASPNETCORE_ENVIRONMENT"] = "Production",
        ["HOST"] = "127.0.0.1",
        ["PORT"] = Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
        ["ADMIN_TOKEN"] = AdminToken,
        ["Delivery__AllowPrivateNetworks"] = "true",
        ["Storage__DataDirectory"] = DataDirectory,
    };

    /// <summary>A setup that differs in one setting.</summary>
    public ServerSetup With(string name, string value) =>
        this with { Settings = new Dictionary<string, string>(Settings, StringComparer.Ordinal) { [name] = value } };
}
