using System.Text.Json;

namespace ZapierTriggers.Load.Core.CommandLine;

/// <summary>Tells what to do when a server sends no webhooks to our receivers, which are on this machine.</summary>
internal static class WebhookRefusal
{
    // The contract's code of an address that webhooks may not go to.
    private const string InvalidUrl = "invalid_url";

    /// <summary>Returns when the address was taken.</summary>
    /// <param name="answer">The server's answer to the call that named the address.</param>
    /// <param name="url">The address.</param>
    /// <exception cref="UsageException">It was not; the message says what to do.</exception>
    public static async Task ThrowIfRefusedAsync(HttpResponseMessage answer, Uri url)
    {
        if (answer.IsSuccessStatusCode) return;
        var body = await answer.Content.ReadAsStringAsync();
        var (code, detail) = Read(body);
        throw new UsageException(code == InvalidUrl
            ? $"The server sends no webhooks to {url}, where they are to be received: start it with "
                + $"Delivery__AllowedNetworks=127.0.0.0/8, or in Development. It says: {detail}"
            : $"The server refused the webhook ({(int)answer.StatusCode}): {detail}");
    }

    /// <summary>A problem's code and detail; another server's answer is its own detail.</summary>
    private static (string? Code, string Detail) Read(string body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind == JsonValueKind.Object ? (Text("code"), Text("detail") ?? body) : (null, body);

            string? Text(string name) =>
                json.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (JsonException)
        {
            return (null, body);
        }
    }
}
