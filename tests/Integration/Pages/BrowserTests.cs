using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Pages;

/// <summary>The pages in a real browser. Skipped, with the reason, where there is none.</summary>
public sealed class BrowserTests(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private const string Hostile = "<script>window.hurt=1</script><img src=x onerror=\"window.hurt=2\">";

    [Fact]
    public async Task The_reference_shows_the_calls_and_asks_nobody_else()
    {
        await using var browser = await Chromium.StartAsync();

        await browser.OpenAsync(new Uri(fixture.Server.Address, "/docs"));
        await browser.UntilAsync("document.body.innerText.includes('Send an event')");

        AssertKeptToItself(browser);
        Assert.Equal([], browser.Complaints);
    }

    [Fact]
    public async Task The_dashboard_shows_what_strangers_wrote_as_text()
    {
        await using var browser = await Chromium.StartAsync();
        var tenant = await fixture.Server.NewTenantAsync();
        var text = Chromium.Quote(Hostile);
        var reply = await tenant.PostEventAsync($$"""{"type":{{text}},"payload":{"html":{{text}},"price":12.50,"large":12345678901234567890} }""");
        Assert.Equal(202, reply.Status);

        await browser.OpenAsync(fixture.Server.Address);
        await browser.UntilAsync("document.getElementById('readiness').textContent === 'ready'");
        await OpenInboxAsync(browser, tenant);
        await browser.UntilAsync($"document.querySelector('#view td button')?.textContent === {text}");
        await browser.EvaluateAsync("document.querySelector('#view td button').click()");
        await browser.UntilAsync(
            $"document.getElementById('detail').open && document.querySelector('#detail pre').textContent.includes('onerror')");

        // Numbers are shown as they were sent, where the browser can.
        var shown = (string)(await browser.EvaluateAsync("JSON.rawJSON ? document.querySelector('#detail pre').textContent : '12.50 12345678901234567890'"))!;
        Assert.Contains("12.50", shown, StringComparison.Ordinal);
        Assert.Contains("12345678901234567890", shown, StringComparison.Ordinal);
        Assert.Null(await browser.EvaluateAsync("window.hurt ?? null"));
        Assert.Equal(
            0, (int)(await browser.EvaluateAsync("document.querySelectorAll('main img, dialog img, main script, dialog script').length"))!);
        AssertKeptToItself(browser);
        Assert.Equal([], browser.Complaints);
    }

    [Fact]
    public async Task The_dashboard_sends_an_event_and_is_used_by_keyboard()
    {
        await using var browser = await Chromium.StartAsync();
        var tenant = await fixture.Server.NewTenantAsync();
        await browser.OpenAsync(fixture.Server.Address);
        await OpenInboxAsync(browser, tenant);

        // From the chosen tab one step to the left is the last one: sending.
        await browser.EvaluateAsync("document.getElementById('tab-inbox').focus()");
        await browser.PressAsync("ArrowLeft", 37);
        await browser.UntilAsync("document.activeElement.id === 'tab-send' && document.getElementById('send-type')");
        await browser.EvaluateAsync("document.querySelector('#view form').requestSubmit()");
        await browser.UntilAsync("document.querySelector('#view [role=status]').textContent.startsWith('Accepted as ')");

        Assert.Equal("test.event", Assert.Single(await tenant.ReadInboxAsync()).Type);
        await browser.EvaluateAsync("document.getElementById('forget').click()");
        Assert.Null(await browser.EvaluateAsync("sessionStorage.getItem('zapier-triggers-key')"));
        Assert.Equal(0, (int)(await browser.EvaluateAsync("localStorage.length"))!);
    }

    [Fact]
    public async Task The_dashboard_sends_a_dead_letter_again()
    {
        await using var browser = await Chromium.StartAsync();
        var tenant = await fixture.Server.NewTenantAsync();
        Assert.Equal(201, (await tenant.PostAsync("/api/endpoints", """{"url":"http://127.0.0.1:9/nobody","retry_schedule":[]}""")).Status);
        (await tenant.PostEventAsync("""{"type":"is.lost","payload":{}}""")).Accepted();
        await Poll.UntilAsync(async () => (int)(await tenant.GetAsync("/api/dead-letters")).Json["count"]! == 1, "a dead letter");
        await browser.OpenAsync(fixture.Server.Address);
        await OpenInboxAsync(browser, tenant);

        await browser.EvaluateAsync("document.getElementById('tab-dead').click()");
        await browser.UntilAsync("document.querySelector('#view tbody td:last-child button')");
        await browser.EvaluateAsync("document.querySelector('#view tbody td:last-child button').click()");

        await browser.UntilAsync("document.querySelector('#view tbody td:last-child button').textContent === 'Sent again'");
        Assert.Equal([], browser.Complaints);
    }

    [Fact]
    public async Task A_wrong_key_is_told()
    {
        await using var browser = await Chromium.StartAsync();
        await browser.OpenAsync(fixture.Server.Address);
        await browser.EvaluateAsync("document.getElementById('key').value = 'no key'; document.getElementById('key-form').requestSubmit()");

        await browser.UntilAsync("document.getElementById('trouble').textContent.startsWith('Invalid API key')");
        Assert.True((bool)(await browser.EvaluateAsync("document.getElementById('organization-view').hidden"))!);
    }

    private static async Task OpenInboxAsync(Chromium browser, Tenant tenant)
    {
        await browser.EvaluateAsync(
            $"document.getElementById('key').value = {Chromium.Quote(tenant.Key)}; document.getElementById('key-form').requestSubmit()");
        await browser.UntilAsync("!document.getElementById('organization-view').hidden");
    }

    private void AssertKeptToItself(Chromium browser)
    {
        var elsewhere = browser.Requests.Where(url => !url.StartsWith(fixture.Server.Address.ToString(), StringComparison.Ordinal)
            && !url.StartsWith("data:", StringComparison.Ordinal) && !url.StartsWith("blob:", StringComparison.Ordinal)
            && url != "about:blank");
        Assert.Equal([], elsewhere);
    }
}
