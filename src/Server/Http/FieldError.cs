namespace ZapierTriggers.Server.Http;

/// <summary>A field or parameter that cannot be taken: answered as 422 with <c>field</c>.</summary>
/// <param name="Field">Its name as documented.</param>
/// <param name="Detail">What was wrong and what to send instead.</param>
internal sealed record FieldError(string Field, string Detail)
{
    /// <summary>Answers 422.</summary>
    public Task AnswerAsync(HttpContext context) => Answers.ProblemAsync(context, Problem.InvalidField, Detail, ("field", Field));
}
