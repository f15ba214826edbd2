using System.Globalization;
using System.Text.RegularExpressions;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Tenants;

public sealed class PostgresStrangersTests(PostgresBackedServer fixture) : StrangersTests<PostgresBackedServer>(fixture);

public sealed class SqliteStrangersTests(SqliteServer fixture) : StrangersTests<SqliteServer>(fixture);

/// <summary>
/// Three organizations call every route with each other's ids, in a random order: nothing of another's changes, nothing of another's is
/// seen, and another's id is answered exactly as one that nobody has. 150 calls, or as many as ZAP_TEST_TENANT_CALLS says.
/// </summary>
public abstract class StrangersTests<T>(T fixture) : IClassFixture<T>
    where T : ServerFixture
{
    private static readonly int Calls = int.TryParse(Environment.GetEnvironmentVariable("ZAP_TEST_TENANT_CALLS"),
        CultureInfo.InvariantCulture, out var calls) ? calls : 150;

    [Fact]
    public void Every_route_has_a_case() =>
        Assert.Equal(fixture.Server.Routes.Select(route => $"{route.Method} {route.Template}").Order(StringComparer.Ordinal),
            StrangerCalls.All.Keys.Order(StringComparer.Ordinal));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task See_and_change_nothing(int seed)
    {
        var random = new Random(seed);
        var all = new[] { await Organization.CreateAsync(fixture.Server), await Organization.CreateAsync(fixture.Server),
            await Organization.CreateAsync(fixture.Server) };
        var states = await Task.WhenAll(all.Select(one => one.StateAsync()));
        var routes = StrangerCalls.All.Keys.ToArray();

        for (var i = 0; i < Calls; i++)
        {
            // Each route comes once before chance decides.
            var route = i < routes.Length ? routes[i] : random.GetItems(routes, 1)[0];
            var caller = random.Next(all.Length);
            var owner = (caller + random.Next(1, all.Length)) % all.Length;
            await CallAsync(route, all[caller], all[owner], [.. all.Where(one => one != all[caller]).SelectMany(one => one.Texts)], random);

            if (random.Next(10) == 0) await all[caller].PostAsync();
            for (var other = 0; other < all.Length; other++)
            {
                var state = await all[other].StateAsync();
                if (other != caller) Assert.True(states[other] == state, $"{route} of another changed\n{states[other]}\nto\n{state}");
                states[other] = state;
            }
        }
    }

    [Fact]
    public async Task A_key_put_together_from_two_is_none()
    {
        var (one, two) = (await Organization.CreateAsync(fixture.Server), await Organization.CreateAsync(fixture.Server));
        var before = await two.StateAsync();

        for (var cut = 1; cut < one.Tenant.Key.Length; cut++)
        {
            if (one.Tenant.Key[..cut] == two.Tenant.Key[..cut] || one.Tenant.Key[cut..] == two.Tenant.Key[cut..]) continue;
            var mixed = new Tenant(fixture.Server, "", one.Tenant.Key[..cut] + two.Tenant.Key[cut..]);
            (await mixed.GetAsync("/api/inbox")).Problem(401, "invalid_api_key", "Invalid API key");
        }

        Assert.Equal(before, await two.StateAsync());
    }

    private async Task CallAsync(string route, Organization caller, Organization owner, List<string> secrets, Random random)
    {
        var (method, path) = (new HttpMethod(route.Split(' ')[0]), route.Split(' ')[1]);
        var foreign = new ForeignIds(
            random.GetItems([.. owner.EventIds], 1)[0], owner.Tenant.OrganizationId, owner.DedupId, owner.EndpointId, owner.KeyId);

        var reply = await StrangerCalls.All[route](fixture.Server, caller, foreign, method, path);

        Assert.True(reply.Status < 500, $"{route}: {reply.Status} {reply.Text}");
        var seen = $"{string.Join('\n', reply.Headers.Select(pair => $"{pair.Key}: {pair.Value}"))}\n{reply.Text}";
        var echoed = new[] { foreign.Event, foreign.Organization, foreign.DedupId, foreign.Endpoint, foreign.Key };
        var leaked = secrets.Where(
            secret => seen.Contains(secret, StringComparison.Ordinal) && !IsEcho(secret, seen, echoed, caller)).ToList();
        Assert.True(leaked.Count == 0, $"{route} shows {string.Join(", ", leaked)}:\n{seen}");
        if (!StrangerCalls.AnswersLikeUnknown(route)) return;

        // One that nobody has, in the same place of the order of ids.
        var unknown = new ForeignIds(
            foreign.Event[..^4] + "0000", Guid.NewGuid().ToString(), "none", Guid.NewGuid().ToString(), Guid.NewGuid().ToString());
        var likewise = await StrangerCalls.All[route](fixture.Server, caller, unknown, method, path);
        Assert.Equal(Normal(likewise, unknown), Normal(reply, foreign));
    }

    /// <summary>Whether the answer only says back what the caller has sent, now or as an event of its own.</summary>
    private static bool IsEcho(string secret, string seen, string[] sent, Organization caller)
    {
        foreach (var text in sent) seen = seen.Replace(text, "", StringComparison.Ordinal);
        foreach (var text in caller.Texts) seen = seen.Replace(text, "", StringComparison.Ordinal);

        // Dedup id and ordering key of events that the caller has sent earlier; in CSV they stand side by side.
        const string Sent = """
            "dedup_id":"mark\w{32}-dedup-0"|"ordering_key":"[0-9a-f-]{36}"|"mark\w{32}-dedup-0",(?:"[0-9a-f-]{36}")?,
            """;
        seen = Regex.Replace(seen, Sent, "", RegexOptions.None, TimeSpan.FromSeconds(1));
        return !seen.Contains(secret, StringComparison.Ordinal);
    }

    /// <summary>Status, headers and body without what must differ.</summary>
    private static string Normal(Reply reply, ForeignIds ids)
    {
        string[] differing = ["Date", "X-Request-Id"];
        var headers = reply.Headers.Where(pair => !differing.Contains(pair.Key, StringComparer.OrdinalIgnoreCase))
            .OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}: {pair.Value}");
        return $"{reply.Status}\n{string.Join('\n', headers)}\n{reply.Text}".Replace(ids.Event, "<id>", StringComparison.Ordinal)
            .Replace(ids.Organization, "<organization>", StringComparison.Ordinal);
    }
}
