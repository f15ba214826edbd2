using System.Text.RegularExpressions;

namespace ZapierTriggers.Tests.Unit.Architecture;

public sealed partial class DocumentTests
{
    [Theory]
    [InlineData("docs/architecture.md")]
    [InlineData("README.md")]
    public void Every_path_that_a_document_names_exists(string document)
    {
        var paths = RepositoryPath().Matches(RepositoryRoot.Read(document)).Select(match => match.Groups["path"].Value)
            .Distinct(StringComparer.Ordinal).ToList();

        Assert.NotEmpty(paths);
        Assert.Equal([], paths.Where(path => !Exists(path)));
    }

    [Theory]
    [InlineData("README.md", "")]
    [InlineData("docs/architecture.md", "docs")]
    [InlineData("docs/operations.md", "docs")]
    [InlineData("docs/performance.md", "docs")]
    public void Every_link_between_documents_leads_somewhere(string document, string folder)
    {
        var links = Link().Matches(RepositoryRoot.Read(document)).Select(match => match.Groups["target"].Value);

        Assert.Equal([], links.Where(link => !link.Contains("://", StringComparison.Ordinal) && !Exists(Path.Combine(folder, link))));
    }

    [Fact]
    public void Every_package_of_the_projects_is_in_the_notices()
    {
        var notices = RepositoryRoot.Read("THIRD-PARTY-NOTICES.md");
        var packages = Directory.EnumerateFiles(RepositoryRoot.Path, "*.csproj", SearchOption.AllDirectories)
            .Append(Path.Combine(RepositoryRoot.Path, "Directory.Build.props"))
            .SelectMany(file => PackageReference().Matches(File.ReadAllText(file)).Select(match => match.Groups["name"].Value))
            .Distinct(StringComparer.Ordinal)
            .Select(name => name.Replace("xunit.v3.mtp-v2", "xunit.v3", StringComparison.Ordinal));

        Assert.Equal([], packages.Where(name => !notices.Contains(name, StringComparison.Ordinal)));
    }

    private static bool Exists(string relative) => Path.Exists(Path.Combine(RepositoryRoot.Path, relative));

    // What stands in backquotes and starts like a path of the repository: `src/Core/Events`, `docs/settings.md`.
    [GeneratedRegex("`(?<path>(src|tests|docs|bench|load)/[A-Za-z0-9_./-]+)`", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex RepositoryPath();

    [GeneratedRegex(@"\]\((?<target>[^)#]+)", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Link();

    [GeneratedRegex("PackageReference Include=\"(?<name>[^\"]+)\"", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex PackageReference();
}
