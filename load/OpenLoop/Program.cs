using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Yardstick;
if (args[0]=="bare") { await using var app = await BareServer.StartAsync(int.Parse(args[1])); await Task.Delay(-1); }
var source = new EventSource(EventTemplates.Generate(int.Parse(args[4]), 1), DedupMode.Unique, 1, "run00001");
var settings = new LoadSettings { Server = new Uri(args[1]), Source = source, Connections = int.Parse(args[2]), ApiKey="zap_live_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" , Threads = int.Parse(args[5])};
for (var k=0;k<3;k++) {
using var run = new LoadRun(settings, _ => SendPlan.Closed(TimeSpan.FromSeconds(double.Parse(args[3]))), new RequestNumbers());
var c0 = System.Diagnostics.Process.GetCurrentProcess().TotalProcessorTime;
var r = await run.RunAsync();
var c1 = System.Diagnostics.Process.GetCurrentProcess().TotalProcessorTime;
Console.WriteLine($"{r.Rate:F0}/s acc {r.Accepted} un {r.Unanswered} p50 {LoadResult.Milliseconds(r.Latency,50)} p99 {LoadResult.Milliseconds(r.Latency,99)} busy {r.Busy:P0} cpu/req {(c1-c0).TotalMicroseconds/r.Answered:F2} us lag {LoadResult.Milliseconds(r.Lag,99)}");
}
return 0;
