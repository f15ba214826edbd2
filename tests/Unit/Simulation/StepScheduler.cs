namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>
/// Runs every continuation of a simulated process on the thread that asks for the next one, in an order that the random source decides.
/// </summary>
internal sealed class StepScheduler(Random random) : TaskScheduler
{
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly List<Task> _ready = [];

    /// <summary>How many can run now.</summary>
    public int Ready => _ready.Count;

    /// <summary>Runs one of them.</summary>
    public void Step()
    {
        var index = random.Next(_ready.Count);
        var task = _ready[index];
        _ready[index] = _ready[^1];
        _ready.RemoveAt(_ready.Count - 1);
        TryExecuteTask(task);
    }

    protected override void QueueTask(Task task)
    {
        // A hop over the pool would make a run impossible to repeat.
        if (Environment.CurrentManagedThreadId != _thread) throw new InvalidOperationException("A continuation came from another thread.");
        _ready.Add(task);
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => _ready;
}
