using NBomber.Contracts;
using NBomber.Contracts.Stats;
using NBomber.CSharp;
using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Verdict;
using ZapierTriggers.Load.Scenarios;

// Settings come from environment variables: NBomber reads the arguments itself.
var settings = BombSettings.Read(Environment.GetEnvironmentVariable);
await using var scenarios = await Bombs.OpenAsync(settings);
var scenario = Scenario.Create(settings.Scenario, async _ => await scenarios.RunAsync())
    .WithWarmUpDuration(TimeSpan.FromSeconds(Math.Min(5, settings.Seconds)))
    .WithLoadSimulations(
        Simulation.RampingInject(settings.Rate, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(Math.Max(1, settings.Seconds / 4))),
        Simulation.Inject(settings.Rate, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(settings.Seconds)));
var stats = NBomberRunner.RegisterScenarios(scenario)
    .WithReportFolder("reports")
    .WithReportFormats(ReportFormat.Html, ReportFormat.Md, ReportFormat.Csv)
    .Run();

// The verdict is ours, from the figures themselves.
var figures = stats.ScenarioStats[0];
var (good, failed, p99) = (figures.Ok.Request.Count, figures.Fail.Request.Count, figures.Ok.Latency.Percent99);
var isDelivered = await scenarios.AllDeliveredAsync();
var passed = good > 0 && failed == 0 && p99 <= settings.MostMilliseconds && isDelivered;
Console.WriteLine(
    FormattableString.Invariant($"answers   {good:N0} good, {failed:N0} failed, p99 {p99:F2} ms (bar {settings.MostMilliseconds:N0} ms)"));
if (!isDelivered) Console.WriteLine("          not all webhooks came");
Console.WriteLine(AuditReport.VerdictLine(passed));
return passed ? 0 : 2;
