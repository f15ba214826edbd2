using System.Globalization;
using System.Reflection;

namespace ZapierTriggers.Server.Storage;

/// <summary>
/// One numbered step of a store's schema, embedded as <c>Storage/&lt;store&gt;/Migrations/NNNN_name.sql</c>. A step is never changed once
/// released.
/// </summary>
/// <param name="Version">From 1, without gaps.</param>
/// <param name="Name">File name without the extension.</param>
/// <param name="Sql">One or more statements.</param>
internal sealed record Migration(int Version, string Name, string Sql)
{
    /// <summary>All steps of a store (<c>Postgres</c> or <c>Sqlite</c>), in order.</summary>
    public static IReadOnlyList<Migration> Load(string store)
    {
        var assembly = typeof(Migration).Assembly;
        var prefix = $"{typeof(Migration).Namespace}.{store}.Migrations.";
        return
        [
            .. assembly.GetManifestResourceNames()
                .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
                .Select(name => Read(assembly, name, prefix.Length))
                .OrderBy(migration => migration.Version),
        ];
    }

    private static Migration Read(Assembly assembly, string resource, int prefixLength)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
        var name = Path.GetFileNameWithoutExtension(resource[prefixLength..]);
        return new Migration(int.Parse(name.AsSpan(0, 4), CultureInfo.InvariantCulture), name, reader.ReadToEnd());
    }
}
