using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ZapierTriggers.Server.Operations.Pages;

/// <summary>
/// The OpenAPI document, written by hand in parts, one for each area of the API: <c>Operations/OpenApi/*.json</c>. Joined at the start in
/// the order of their names: objects member by member, lists one behind the other.
/// </summary>
internal static class OpenApiDocument
{
    private const string Folder = "ZapierTriggers.Server.Operations.OpenApi.";

    /// <summary>The whole document as JSON.</summary>
    public static string Text { get; } = Join().ToJsonString(new JsonSerializerOptions
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    private static JsonObject Join()
    {
        var assembly = typeof(OpenApiDocument).Assembly;
        var whole = new JsonObject();
        var parts = assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal));
        foreach (var name in parts.Order(StringComparer.Ordinal))
        {
            var part = JsonNode.Parse(Encoding.UTF8.GetString(PageFile.Read(assembly, name)))!.AsObject();
            Add(whole, part, name);
        }

        whole["info"]!["version"] = Build.Version;
        return whole;
    }

    private static void Add(JsonObject whole, JsonObject part, string name)
    {
        foreach (var (key, value) in part.ToList())
        {
            part.Remove(key);
            if (whole[key] is not { } known) whole[key] = value;
            else if (known is JsonObject inner && value is JsonObject added) Add(inner, added, name);
            else if (known is JsonArray list && value is JsonArray more) Append(list, more);
            else throw new InvalidDataException($"{name} has {key}, which another part has too.");
        }
    }

    private static void Append(JsonArray list, JsonArray more)
    {
        foreach (var item in more.ToList())
        {
            more.Remove(item);
            list.Add(item);
        }
    }
}
