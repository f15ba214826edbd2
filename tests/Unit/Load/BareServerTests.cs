using System.Net;
using System.Text.Json;
using ZapierTriggers.Load.Core.Yardstick;

namespace ZapierTriggers.Tests.Unit.Load;

public sealed class BareServerTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_answers_any_body_like_an_accepting_server(bool withHeaders)
    {
        await using var app = await BareServer.StartAsync(port: 0, withHeaders);
        using var client = new HttpClient();
        using var content = new ByteArrayContent(new byte[200_000]);
        using var response = await client.PostAsync(app.Urls.First() + "/api/events", content);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        using var json = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync());
        Assert.Equal(["id", "event_id", "status", "message"], json.RootElement.EnumerateObject().Select(member => member.Name));
        Assert.All(["RateLimit-Policy", "RateLimit", "X-Request-Id"], name => Assert.Equal(withHeaders, response.Headers.Contains(name)));
        Assert.False(response.Headers.Contains("Server"));
    }
}
