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
    public void The_document_is_what_the_program_makes() =>
        Assert.Equal(LogEventsDocument.Markdown(), RepositoryRoot.Read("docs/log-events.md"));

    [Fact]
    public void Every_entry_of_the_table_is_logged_somewhere() =>
        Assert.Equal(Table.Values.Order(), LogEventsDocument.Entries().Select(entry => entry.Id));

    [Fact]
    public void From_warning_on_an_entry_says_what_to_do() => Assert.All(
        LogEventsDocument.Entries(),
        entry => Assert.True(entry.Level < LogLevel.Warning ? entry.Remedy is null : entry.Remedy?.EndsWith('.') == true, entry.Name));

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
