using System.Net.Http.Json;
using System.Text.Json;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>Calls of a scene's organization that must succeed; their answers.</summary>
internal static class TenantCalls
{
    public static async Task<JsonElement> PostAsync<T>(this Scene scene, string path, T body)
    {
        using var content = JsonContent.Create(body);
        using var answer = await scene.Tenant.Client.PostAsync(new Uri(path, UriKind.Relative), content);
        return await ReadAsync(answer);
    }

    public static async Task<JsonElement> GetAsync(this Scene scene, string path)
    {
        using var answer = await scene.Tenant.Client.GetAsync(new Uri(path, UriKind.Relative));
        return await ReadAsync(answer);
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }
}
