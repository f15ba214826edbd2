namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>Waits for a condition, looking often; fails the test when it does not come about.</summary>
internal static class Poll
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    public static Task UntilAsync(Func<bool> condition, string what, Action? between = null, TimeSpan? deadline = null) =>
        UntilAsync(() => Task.FromResult(condition()), what, between, deadline);

    public static async Task UntilAsync(Func<Task<bool>> condition, string what, Action? between = null, TimeSpan? deadline = null)
    {
        var start = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(3));
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < (deadline ?? Deadline), $"Did not come about: {what}");
            between?.Invoke();
            await timer.WaitForNextTickAsync();
        }
    }
}
