using System.Reflection;
using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Server.Operations;

namespace ZapierTriggers.Tests.Unit.Operations;

public sealed class LogEventsTests
{
    private static readonly IReadOnlyDictionary<string, int> Table =
        typeof(LogEvents).GetFields().ToDictionary(field => field.Name, field => (int)field.GetRawConstantValue()!, StringComparer.Ordinal);

    [Fact]
    public void No_id_stands_twice_in_the_table() => Assert.Equal(Table.Count, Table.Values.Distinct().Count());

    [Fact]
    public void Every_log_entry_has_its_own_id_and_its_name_from_the_table()
    {
        var entries = new[] { typeof(LogEvents).Assembly, typeof(Banner).Assembly }
            .SelectMany(assembly => assembly.GetTypes())
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(method => (Name: method.DeclaringType!.DeclaringType?.Name + method.Name, Id: method.GetCustomAttribute<LoggerMessageAttribute>()?.EventId))
            .Where(entry => entry.Id is not null)
            .ToList();

        Assert.NotEmpty(entries);
        Assert.Equal(entries.Count, entries.Select(entry => entry.Id).Distinct().Count());
        Assert.All(entries, entry => Assert.Equal(entry.Id, Table.GetValueOrDefault(entry.Name, -1)));
    }
}
