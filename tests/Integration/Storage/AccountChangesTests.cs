using System.Security.Cryptography;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Integration.Storage;

/// <summary>The versions by which servers on one Postgres notice what others have changed.</summary>
public sealed class AccountChangesTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private static readonly DateTimeOffset Now = StoreFixture.Noon;

    private IAccountStore Store => fixture.Stores.Accounts;

    private IAccountChanges Changes => fixture.Stores.Changes!;

    [Fact]
    public async Task Every_change_is_noted_with_its_organization_and_a_use_is_not()
    {
        var organization = NewOrganization();
        var (first, added) = (NewKey(organization), NewKey(organization));
        var endpoint = new EndpointRecord
        {
            Id = Guid.NewGuid(),
            OrganizationNo = organization.No,
            IsDefault = false,
            Url = "http://127.0.0.1:9/",
            Secret = WebhookSecret.Generate(),
            Enabled = true,
            DeliveredThrough = EventId.LowerBound(Now),
            CreatedAt = Now,
            UpdatedAt = Now,
        };
        Func<Task>[] changes =
        [
            () => Store.CreateAsync(organization, first, CancellationToken.None),
            () => Store.AddKeyAsync(added, 9, CancellationToken.None),
            () => Store.UpdateAsync(organization with { Name = "Other" }, CancellationToken.None),
            () => Store.SuspendAsync(organization with { SuspendedAt = Now }, CancellationToken.None),
            () => fixture.Stores.Deliveries.SaveEndpointAsync(endpoint, CancellationToken.None),
            () => fixture.Stores.Deliveries.SaveEndpointAsync(endpoint with { Enabled = false }, CancellationToken.None),
            () => fixture.Stores.Deliveries.DeleteEndpointAsync(organization.No, endpoint.Id, Now, CancellationToken.None),
            () => Store.RotateAsync(NewKey(organization), first.Id, Now, CancellationToken.None),
            () => Store.RevokeKeyAsync(organization.No, added.Id, Now, CancellationToken.None),
        ];
        foreach (var change in changes)
        {
            var version = await Changes.ReadVersionAsync(CancellationToken.None);
            await change();
            Assert.True(await Changes.ReadVersionAsync(CancellationToken.None) > version);
            Assert.Contains(organization.No, await Changes.ReadChangedAsync(version, CancellationToken.None));
        }

        var before = await Changes.ReadVersionAsync(CancellationToken.None);
        await Store.NoteUseAsync([(first.Id, Now.AddMinutes(1))], CancellationToken.None);
        Assert.DoesNotContain(organization.No, await Changes.ReadChangedAsync(before, CancellationToken.None));
        Assert.Single((await Changes.ReadAccountsAsync([organization.No], CancellationToken.None)).Organizations);
        Assert.Empty(await Changes.ReadEndpointsAsync([organization.No], CancellationToken.None));
    }

    [Fact]
    public async Task The_events_of_an_erasure_are_read_chunk_by_chunk()
    {
        var scene = await DeliveryScene.SetAsync(fixture);
        var ids = await scene.AppendAsync(5);
        var erasures = fixture.Stores.Data.Erasures;
        var end = new EventId(ulong.MaxValue, ulong.MaxValue);
        var (former, erasure) = (NewErasure(scene.OrganizationNo), NewErasure(scene.OrganizationNo));
        await erasures.AddAsync(former, CancellationToken.None);
        await erasures.AddAsync(erasure, CancellationToken.None);
        await erasures.EraseAsync(former, former with { Cursor = end }, [ids[1]], default, CancellationToken.None);
        var first =
            (await erasures.EraseAsync(erasure, erasure with { Cursor = ids[2] }, [ids[0], ids[2]], default, CancellationToken.None))!;
        var seen = await OfAsync(erasure.Id);
        Assert.Equal((ids[2], 2L, null), (seen.Cursor, seen.Erased, seen.FinishedAt));
        Assert.Equal<EventId>([ids[0], ids[2]], (await Changes.ReadErasedAsync(seen, default, CancellationToken.None)).Order());

        // What was set aside comes last, whatever its id.
        await erasures.EraseAsync(first, first with { Cursor = end }, [ids[3]], default, CancellationToken.None);
        Assert.Empty(await Changes.ReadErasedAsync(seen, ids[2], CancellationToken.None));
        Assert.Equal([ids[3]], await Changes.ReadErasedAsync(await OfAsync(erasure.Id), ids[2], CancellationToken.None));
        Assert.Equal([ids[1]], await Changes.ReadErasedAsync(await OfAsync(former.Id), default, CancellationToken.None));
    }

    private static Erasure NewErasure(int organizationNo) => new()
    {
        OrganizationNo = organizationNo,
        Id = Guid.NewGuid(),
        Kind = ErasureKind.Events,
        Selection = "",
        Through = new EventId(ulong.MaxValue, ulong.MaxValue),
        RequestedAt = Now,
    };

    private async Task<ErasureElsewhere> OfAsync(Guid id) =>
        (await Changes.ReadErasuresAsync(Now, CancellationToken.None)).Single(one => one.Id == id);

    [Fact]
    public async Task Of_many_changes_at_once_a_reader_misses_none()
    {
        var organizations = Enumerable.Range(0, 60).Select(_ => NewOrganization()).ToList();
        var seen = new HashSet<int>();
        var version = await Changes.ReadVersionAsync(CancellationToken.None);
        var writing = Parallel.ForEachAsync(
            organizations,
            new ParallelOptions { MaxDegreeOfParallelism = 6 },
            async (organization, _) => await Store.CreateAsync(organization, NewKey(organization), CancellationToken.None));
        bool isLast;
        do
        {
            isLast = writing.IsCompleted;
            var next = await Changes.ReadVersionAsync(CancellationToken.None);

            // As a server does: what is read is what is after the last version, which is then the next one's.
            seen.UnionWith(await Changes.ReadChangedAsync(version, CancellationToken.None));
            version = next;
        }
        while (!isLast);

        await writing;
        Assert.Superset(organizations.Select(organization => organization.No).ToHashSet(), seen);
    }

    [Fact]
    public async Task A_listener_hears_of_a_change()
    {
        var heard = new SemaphoreSlim(0);
        using var stop = new CancellationTokenSource();
        var listening = Changes.ListenAsync(_ => heard.Release(), stop.Token);
        await heard.WaitAsync(TestContext.Current.CancellationToken);

        var organization = NewOrganization();
        await Store.CreateAsync(organization, NewKey(organization), CancellationToken.None);
        await heard.WaitAsync(TestContext.Current.CancellationToken);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => listening);
        heard.Dispose();
    }

    private static OrganizationRecord NewOrganization() => new()
    {
        No = StoreFixture.NextNumber(),
        Id = Guid.NewGuid(),
        Name = "Acme",
        Tier = "free",
        RateLimitPerMinute = 100,
        Route = RandomNumberGenerator.GetHexString(8),
        CreatedAt = Now,
        UpdatedAt = Now,
    };

    private static ApiKeyRecord NewKey(OrganizationRecord organization) => new()
    {
        Id = Guid.NewGuid(),
        OrganizationNo = organization.No,
        Hash = RandomNumberGenerator.GetBytes(32),
        Prefix = $"zap_live_{organization.Route}",
        Name = "default",
        Scopes = "keys:manage",
        CreatedAt = Now,
        ExpiresAt = null,
        LastUsedAt = null,
    };
}
