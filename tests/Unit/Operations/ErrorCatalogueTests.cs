using ZapierTriggers.Server.Http;
using ZapierTriggers.Server.Operations.Pages;

namespace ZapierTriggers.Tests.Unit.Operations;

public sealed class ErrorCatalogueTests
{
    [Fact]
    public void The_document_is_what_the_program_makes() =>
        Assert.Equal(ErrorCatalogue.Markdown(), RepositoryRoot.Read("docs/errors.md"));

    [Fact]
    public void Every_problem_is_in_the_catalogue_once()
    {
        var all = typeof(Problem).GetFields().Where(field => field.FieldType == typeof(Problem)).Select(
            field => (Problem)field.GetValue(null)!).ToList();

        Assert.Equal(all, Problem.All);
        Assert.Equal(all.Count, all.DistinctBy(problem => problem.Code).Count());
        Assert.All(all, problem => Assert.True(problem.When.EndsWith('.') && problem.Remedy.EndsWith('.'), problem.Code));
    }
}
