using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Tests.Unit.Accounts;

public sealed class AuditedCallTests
{
    private static readonly DateTimeOffset Now = new(2025, 3, 1, 12, 0, 30, 250, TimeSpan.Zero);

    [Fact]
    public async Task Flows_with_the_call_and_ends_with_it()
    {
        var gate = new TaskCompletionSource();
        var outlives = await CallAsync();

        Assert.Null(AuditedCall.Current);
        gate.SetResult();
        Assert.Null(await outlives);

        async Task<Task<AuditEntry?>> CallAsync()
        {
            await Task.Yield();
            var call = AuditedCall.Begin("key.create", Now, "::1", "r");
            call.About(7, Guid.Empty);
            await Task.Yield();
            var inside = await Task.Run(() => AuditedCall.EntryFor(7, "target"));
            Assert.Equal(("key.create", "target", "::1", "r", Now, "anyone"), (inside!.Action, inside.Target, inside.Address, inside.RequestId, inside.At, inside.Actor));
            var later = LaterAsync();
            call.End();
            return later;
        }

        async Task<AuditEntry?> LaterAsync()
        {
            await gate.Task;
            return AuditedCall.EntryFor(7, "target");
        }
    }

    [Fact]
    public void Has_one_entry_under_one_id_and_only_for_its_organization()
    {
        var call = AuditedCall.Begin("organization.update", Now, null, "r");
        Assert.Null(AuditedCall.EntryFor(7, "target"));

        call.ByAdmin();
        call.About(7, Guid.Empty);
        call.Note("tier", "pro");
        call.Note("limit", 7);
        call.Note("fields", (string[])["a\"", "b"]);
        call.Note("none", null);
        var entry = AuditedCall.EntryFor(7, "target")!;

        Assert.Equal(entry.Id, AuditedCall.EntryFor(7, "target")!.Id);
        Assert.Null(AuditedCall.EntryFor(8, "target"));
        Assert.Equal("admin", entry.Actor);
        Assert.Equal("""{"fields":["a\u0022","b"],"limit":7,"none":null,"tier":"pro"}""", entry.Details);
        call.End();
    }
}
