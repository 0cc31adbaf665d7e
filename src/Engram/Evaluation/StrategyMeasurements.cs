using Engram.Learning;
using Engram.Streams;

namespace Engram.Evaluation;

/// <summary>Turns the predictions of one strategy, test set by test set, into all that <see cref="StrategyResult"/> says.</summary>
internal sealed class StrategyMeasurements
{
    private readonly List<double> _soFar = [];
    private readonly List<double[]> _perClass = [];
    private readonly List<ExperienceCost> _costs = [];
    private readonly List<DateTimeOffset> _times = [];
    private int[][] _confusion = [];
    private (double Error, double Brier) _calibration = (double.NaN, double.NaN);
    private readonly List<double> _ahead = []; // R[i, i + 1]
    private long _tested; // samples predicted in all tests so far
    private readonly List<AccuracyPoint> _points = []; // between the tests
    private Previews _previews = new(0, 0, 0);

    public StrategyMeasurements()
    {
    }

    /// <summary>Goes on from what was saved.</summary>
    public StrategyMeasurements(SavedMeasurements saved)
    {
        foreach (var row in saved.Accuracy) Matrix.Add(row);
        _soFar.AddRange(saved.AccuracySoFar);
        _perClass.AddRange(saved.AccuracyPerClass);
        _costs.AddRange(saved.Costs);
        _times.AddRange(saved.Times ?? []);
        (_confusion, Position, Learnt) = (saved.Confusion, saved.Position, saved.Learnt);
        (_calibration, _tested) = ((saved.CalibrationError, saved.Brier), saved.Predicted);
        (Untrained, _previews) = (saved.Untrained, saved.Previews ?? new Previews(0, 0, 0));
        _ahead.AddRange(saved.Ahead ?? []);
        _points.AddRange(saved.Points ?? []);
    }

    /// <summary>R[i,j] as measured by now.</summary>
    public AccuracyMatrix Matrix { get; } = new();

    /// <summary>How many experiences were learnt.</summary>
    public int Position { get; private set; }

    /// <summary>How many test sets the last measurement had.</summary>
    public int Tested => Matrix.Count == 0 ? 0 : Matrix.Rows[^1].Length;

    /// <summary>b_j: accuracy of an untrained model on each test set; null where nothing is predicted ahead.</summary>
    public double[]? Untrained { get; set; }

    /// <summary>What learning took since the last measurement.</summary>
    public LearningResult? Learnt { get; private set; }

    /// <summary>Adds one more experience learnt.</summary>
    public void Add(LearningResult learnt)
    {
        Position++;
        Learnt = Learnt is not { } before
            ? learnt
            : new LearningResult(
                before.Samples + learnt.Samples, before.Steps + learnt.Steps, before.Seconds + learnt.Seconds, learnt.Loss);
    }

    /// <summary>Predicts the experience that is learnt next, once.</summary>
    public void Preview(Learner learner, Experience next)
    {
        if (_previews.Experiences > Position) return; // before a run was stopped in the middle of it
        var right = OnlineAccuracy.RightOf(learner, next);
        _previews = new Previews(Position + 1, _previews.Right + right, _previews.Samples + next.Train.Count);
    }

    /// <summary>Adds the accuracy on the next experience, which is not learnt yet.</summary>
    public void AddAhead(double accuracy) => _ahead.Add(accuracy);

    /// <summary>Samples learnt since accuracy was last measured, in a test or between two.</summary>
    public long SinceAccuracy => Samples - Math.Max(TestedAt, _points.Count == 0 ? 0 : _points[^1].Samples);

    /// <summary>Adds the accuracy over the classes that came by now, between two tests.</summary>
    public void AddPoint(double accuracy) => _points.Add(new AccuracyPoint(Samples, accuracy));

    /// <summary>Everything, for a checkpoint.</summary>
    public SavedMeasurements Save() =>
        new([.. Matrix.Rows], [.. _soFar], [.. _perClass], [.. _costs], _confusion, Position, Learnt, [.. _times],
            _calibration.Error, _calibration.Brier, _tested, Untrained, [.. _ahead], _previews, [.. _points]);

    /// <summary>Adds the predictions made after what was learnt since the last measurement.</summary>
    /// <param name="tests">True and predicted class ids for each test set so far; true is −1 for a class never learnt.</param>
    /// <param name="classes">How many classes are known.</param>
    /// <param name="testSeconds">Time the tests took.</param>
    /// <param name="now">When they ended.</param>
    /// <param name="calibration">Calibration of the same predictions.</param>
    public PhaseMeasurement Add(
        IReadOnlyList<(int[] True, int[] Predicted)> tests, int classes, double testSeconds, DateTimeOffset now, CalibrationTally calibration)
    {
        var cost = new ExperienceCost(Learnt!.Samples, Learnt.Seconds, testSeconds, Learnt.Loss);
        var confusion = Enumerable.Range(0, classes).Select(_ => new int[classes]).ToArray();
        var row = new double[tests.Count];
        var (right, count) = (0, 0);
        for (var test = 0; test < tests.Count; test++)
        {
            var (truth, predicted) = tests[test];
            var hits = 0;
            for (var i = 0; i < truth.Length; i++)
            {
                if (truth[i] == predicted[i]) hits++;
                if (truth[i] >= 0) confusion[truth[i]][predicted[i]]++;
            }
            row[test] = (double)hits / truth.Length;
            right += hits;
            count += truth.Length;
        }
        Matrix.Add(row);
        _soFar.Add((double)right / count);
        _perClass.Add([.. confusion.Select((predictions, id) => (double)predictions[id] / predictions.Sum())]);
        _costs.Add(cost);
        _times.Add(now);
        _confusion = confusion;
        _calibration = (calibration.Expected, calibration.Brier);
        _tested += count;
        Learnt = null;
        return new PhaseMeasurement(_soFar[^1], row, Matrix.Forgetting, cost);
    }

    public StrategyResult Result(string name, string title, Learner learner) => new()
    {
        Name = name,
        Title = title,
        Accuracy = [.. Matrix.Rows],
        Ahead = Untrained is null ? null : [.. _ahead],
        Untrained = Untrained,
        AccuracySoFar = [.. _soFar],
        AccuracyPerClass = [.. _perClass],
        Confusion = _confusion,
        Metrics = Metrics(),
        Costs = _costs,
        MemoryBytes = learner.Mechanisms.Sum(mechanism => mechanism.MemoryBytes),
        MeasuredAt = [.. _times],
        Cost = StrategyCost.Of(learner, _costs, _tested),
    };

    private Dictionary<string, double> Metrics()
    {
        var metrics = new Dictionary<string, double>
        {
            [MetricNames.FinalAverageAccuracy] = Matrix.FinalAverageAccuracy,
            [MetricNames.AverageIncrementalAccuracy] = Matrix.AverageIncrementalAccuracy,
            [MetricNames.LearningAccuracy] = Matrix.LearningAccuracy,
            [MetricNames.Forgetting] = Matrix.Forgetting,
            [MetricNames.BackwardTransfer] = Matrix.BackwardTransfer,
            [MetricNames.MaximumForgetting] = Matrix.MaximumForgetting,
            [MetricNames.Remembering] = Matrix.Remembering,
            [MetricNames.StabilityPlasticity] = Matrix.StabilityPlasticity,
            [MetricNames.MacroF1] = ClassCounts.MacroF1(_confusion),
            [MetricNames.CalibrationError] = _calibration.Error,
            [MetricNames.Brier] = _calibration.Brier,
            [MetricNames.AnytimeAccuracy] = Anytime(),
        };
        if (Untrained is not null && _ahead.Count == Untrained.Length - 1) metrics[MetricNames.ForwardTransfer] = ForwardTransfer(Untrained);
        if (_previews.Samples > 0) metrics[MetricNames.PrequentialAccuracy] = (double)_previews.Right / _previews.Samples;
        return metrics;
    }

    private double ForwardTransfer(double[] untrained)
    {
        var matrix = new AccuracyMatrix();
        for (var i = 0; i < Matrix.Count; i++) matrix.Add([.. Matrix.Rows[i], .. _ahead[i..Math.Min(i + 1, _ahead.Count)]]);
        return matrix.ForwardTransfer(untrained);
    }

    private long Samples => TestedAt + (Learnt?.Samples ?? 0);

    private long TestedAt => _costs.Sum(SamplesOf);

    // Points of a curve follow each other.
    private static long SamplesOf(ExperienceCost cost) => Math.Max(cost.Samples, 1);

    private double Anytime()
    {
        var (curve, samples) = (new OnlineAccuracy(), 0L);
        AccuracyPoint[] tests = [.. _costs.Zip(_soFar, (cost, accuracy) => new AccuracyPoint(samples += SamplesOf(cost), accuracy))];
        foreach (var point in tests.Concat(_points).DistinctBy(point => point.Samples).OrderBy(point => point.Samples))
            curve.Add(point.Samples, point.Accuracy);
        return curve.Anytime;
    }
}

/// <summary>Measurements as a checkpoint keeps them.</summary>
internal sealed record SavedMeasurements(
    double[][] Accuracy, double[] AccuracySoFar, double[][] AccuracyPerClass, ExperienceCost[] Costs, int[][] Confusion,
    int Position, LearningResult? Learnt, DateTimeOffset[]? Times = null, double CalibrationError = double.NaN, double Brier = double.NaN,
    long Predicted = 0, double[]? Untrained = null, double[]? Ahead = null, Previews? Previews = null,
    AccuracyPoint[]? Points = null);

/// <summary>A point of the curve of accuracy.</summary>
/// <param name="Samples">Samples learnt by then.</param>
/// <param name="Accuracy">Accuracy over the classes that came by then.</param>
internal sealed record AccuracyPoint(long Samples, double Accuracy);

/// <summary>What was predicted before it was learnt.</summary>
/// <param name="Experiences">How many experiences.</param>
/// <param name="Right">Samples predicted right.</param>
/// <param name="Samples">Samples predicted.</param>
internal sealed record Previews(int Experiences, long Right, long Samples);
