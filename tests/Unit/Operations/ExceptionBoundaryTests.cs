using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Tests.Unit.Operations;

public sealed class ExceptionBoundaryTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_nobody_expected_is_a_500_and_one_log_entry_with_the_request_s_id(bool asynchronous)
    {
        var (answer, log) = await RunAsync(asynchronous, new InvalidOperationException("a secret"));

        Assert.Equal(HttpStatusCode.InternalServerError, answer.Status);
        Assert.Equal("internal_error", answer.Code);
        Assert.DoesNotContain("a secret", answer.Body, StringComparison.Ordinal);
        Assert.Contains("my-request", answer.Body, StringComparison.Ordinal);
        Assert.Contains("my-request", Assert.Single(log.Entries), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_is_away_is_a_503_and_no_log_entry()
    {
        var (answer, log) = await RunAsync(asynchronous: true, new StoreException(StoreFailure.Unavailable, "away"));

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "storage_unavailable"), (answer.Status, answer.Code));
        Assert.Empty(log.Entries);
    }

    [Theory]
    [InlineData(400, "invalid_request")]
    [InlineData(408, "invalid_request")]
    [InlineData(413, "payload_too_large")]
    public async Task A_malformed_request_is_the_client_s_error(int status, string code)
    {
        var (answer, log) = await RunAsync(asynchronous: false, new BadHttpRequestException("malformed", status));

        Assert.Equal((status, code), ((int)answer.Status, answer.Code));
        Assert.Empty(log.Entries);
    }

    [Fact]
    public async Task A_client_that_has_gone_is_no_error()
    {
        var log = new ListLogger();
        using var gone = new CancellationTokenSource();
        var context = new DefaultHttpContext { RequestAborted = gone.Token };
        await gone.CancelAsync();

        await ExceptionBoundary.RunAsync(context, _ => throw new OperationCanceledException(), log);

        Assert.Empty(log.Entries);
    }

    [Fact]
    public void A_request_that_ends_at_once_costs_no_task()
    {
        var running = ExceptionBoundary.RunAsync(new DefaultHttpContext(), _ => Task.CompletedTask, new ListLogger());

        Assert.Same(Task.CompletedTask, running);
    }

    private static async Task<((HttpStatusCode Status, string Code, string Body) Answer, ListLogger Log)> RunAsync(bool asynchronous, Exception error)
    {
        var log = new ListLogger();
        await using var server = await LoopbackServer.StartAsync(_ => context =>
        {
            RequestId.Assign(context);
            return ExceptionBoundary.RunAsync(context, FailAsync, log);
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { RequestId.HeaderName, "my-request" } } };
        using var answer = await server.Client.SendAsync(request);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(["my-request"], answer.Headers.GetValues(RequestId.HeaderName));
        return ((answer.StatusCode, JsonDocument.Parse(body).RootElement.GetProperty("code").GetString()!, body), log);

        async Task FailAsync(HttpContext context)
        {
            if (asynchronous) await Task.Yield();
            throw error;
        }
    }

    private sealed class ListLogger : ILogger
    {
        public List<string> Entries { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception, Func<TState, Exception?,
            string> formatter) =>
            Entries.Add(formatter(state, exception));
    }
}
