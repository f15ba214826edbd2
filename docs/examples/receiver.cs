#:sdk Microsoft.NET.Sdk.Web
#:property PublishAot=false
#:property RestorePackagesWithLockFile=false
#:property RestoreLockedMode=false
// A webhook receiver to try things with: prints what comes and answers 200. Run it with: dotnet run docs/examples/receiver.cs
var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
var app = builder.Build();
app.Urls.Add("http://127.0.0.1:9090");
app.MapPost("/{**path}", async (HttpContext context) =>
{
    using var reader = new StreamReader(context.Request.Body);
    var body = await reader.ReadToEndAsync();
    Console.WriteLine($"{context.Request.Headers["webhook-id"]} {context.Request.Headers["webhook-signature"]}\n{body}\n");
});
Console.WriteLine("Waiting for webhooks on http://127.0.0.1:9090");
app.Run();
