using System.Diagnostics;
using Engram.Learning;
using Engram.Retention;

namespace Engram.Evaluation.Speed;

/// <summary>Times every step of a learner; it comes last among the mechanisms and changes nothing.</summary>
internal sealed class StepClock : RetentionMechanism
{
    private readonly List<double> _seconds = [];
    private long _last;

    public override string Name => "clock";

    public override Seams Seams => Seams.None;

    public override long MemoryBytes => 0;

    /// <summary>Seconds of each step but the first of its experience, since the last call.</summary>
    public double[] Take()
    {
        double[] seconds = [.. _seconds];
        _seconds.Clear();
        return seconds;
    }

    protected internal override void AfterStep(TrainingStep step)
    {
        var now = Stopwatch.GetTimestamp();
        if (step.Number > 0) _seconds.Add(Stopwatch.GetElapsedTime(_last, now).TotalSeconds);
        _last = now;
    }
}
