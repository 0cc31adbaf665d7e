using System.Diagnostics;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Evaluation.Speed;

/// <summary>A learner of ten digits that learns a given number of steps at a time, and its time.</summary>
internal sealed class TimedLearner : IDisposable
{
    private readonly ISampleSource _source;
    private readonly int _batchSize;
    private readonly Learner _learner;
    private int _next;

    public TimedLearner(
        ISampleSource source, int batchSize, Func<Backbone>? backbone = null, Precision precision = Precision.Float32,
        RetentionMechanism? mechanism = null)
    {
        (_source, _batchSize) = (source, batchSize);
        _learner = Create(
            backbone?.Invoke() ?? new Mlp(784, 400, 400), batchSize, precision, mechanism is null ? [] : [mechanism]);
    }

    public LearningContext Context => _learner.Context;

    public Learner Learner => _learner;

    public static Learner Create(Backbone backbone, int batchSize, Precision precision, RetentionMechanism[] mechanisms) => new(
        () => new ContinualModel(backbone), new LearnerOptions { BatchSize = batchSize, DropLast = true, Precision = precision },
        mechanisms);

    /// <summary>Learns small experiences of all digits, to have learnt some.</summary>
    public void Learn(int experiences)
    {
        for (var e = 0; e < experiences; e++) _learner.Learn(Next(_batchSize));
    }

    /// <summary>Learns an experience of so many steps; the time of all of it.</summary>
    public double Seconds(int steps) => _learner.Learn(Next(steps * _batchSize)).Seconds;

    /// <summary>Learns an experience of so many steps; the time of its steps, without what is worked out when it ends.</summary>
    public double StepSeconds(int steps)
    {
        var end = new LastStep();
        var began = Stopwatch.GetTimestamp();
        _learner.Learn(Next(steps * _batchSize), end);
        return Stopwatch.GetElapsedTime(began, end.Time).TotalSeconds;
    }

    public void Dispose() => _learner.Dispose();

    // The samples from one place on, around the end: all digits occur.
    private Experience Next(int count)
    {
        var start = (int)(_next * 7919L % _source.Count);
        var source = new SubsetSource(_source, [.. Enumerable.Range(0, count).Select(i => (start + i) % _source.Count)]);
        return new Experience(_next++, source);
    }

    private sealed class LastStep : IProgress<LearningProgress>
    {
        public long Time { get; private set; }

        public void Report(LearningProgress value)
        {
            if (value.Activity == "consolidating") Time = Stopwatch.GetTimestamp();
        }
    }
}
