using System.Reflection;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Tests.Unit.Architecture;

public sealed class SourceRulesTests
{
    private static readonly string[] Separators = [$"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", $"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}"];

    [Fact]
    public void The_core_knows_no_web_framework_and_no_database()
    {
        var references = typeof(EventId).Assembly.GetReferencedAssemblies().Select(reference => reference.Name!);

        Assert.DoesNotContain(references, name =>
            name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal) || name.StartsWith("Npgsql", StringComparison.Ordinal)
            || name.Contains("Sqlite", StringComparison.Ordinal) || name.StartsWith("System.Data", StringComparison.Ordinal));
    }

    [Fact]
    public void Nothing_is_public_that_need_not_be()
    {
        var types = new[] { typeof(EventId).Assembly, typeof(RouteTable).Assembly }.SelectMany(assembly => assembly.GetExportedTypes());

        // The compiler makes the program's entry class public.
        Assert.Equal([], types.Where(type => type.Name != "Program").Select(type => type.FullName));
    }

    [Fact]
    public void No_type_is_named_by_a_word_that_says_nothing()
    {
        var types = new[] { typeof(EventId).Assembly, typeof(RouteTable).Assembly }.SelectMany(assembly => assembly.GetTypes());
        string[] words = ["Manager", "Helper", "Util", "Utils", "Service"];

        Assert.Equal([], types.Where(IsOurs).Where(type => words.Any(word => type.Name.EndsWith(word, StringComparison.Ordinal))).Select(type => type.FullName));
    }

    [Fact]
    public void Files_are_small()
    {
        var lengths = Sources("src").Select(file => (file, Lines: File.ReadLines(file).Count())).OrderBy(pair => pair.Lines).ToList();

        Assert.InRange(lengths[lengths.Count / 2].Lines, 1, 80);
        Assert.InRange(lengths[lengths.Count * 9 / 10].Lines, 1, 200);
        Assert.Equal([], lengths.Where(pair => pair.Lines > 400).Select(pair => pair.file));
    }

    [Fact]
    public void Tests_wait_for_signals_and_never_sleep()
    {
        // Put together here, so that this file is not what it looks for.
        string[] sleeps = ["Thread" + ".Sleep", "Task" + ".Delay("];

        Assert.Equal([], Sources("tests").Where(file => sleeps.Any(File.ReadAllText(file).Contains)));
    }

    [Fact]
    public void Nothing_is_left_for_later()
    {
        string[] marks = ["TO" + "DO", "FIX" + "ME", "HA" + "CK:"];

        Assert.Equal([], Sources("src").Concat(Sources("tests")).Where(file => marks.Any(File.ReadAllText(file).Contains)));
    }

    private static bool IsOurs(Type type) =>
        type.Namespace?.StartsWith("ZapierTriggers", StringComparison.Ordinal) == true
            && type.GetCustomAttribute<System.Runtime.CompilerServices.CompilerGeneratedAttribute>() is null;

    private static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(RepositoryRoot.Path, folder), "*.cs", SearchOption.AllDirectories)
            .Where(file => !Separators.Any(separator => file.Contains(separator, StringComparison.Ordinal)));
}
