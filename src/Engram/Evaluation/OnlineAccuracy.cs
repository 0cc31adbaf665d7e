using Engram.Learning;
using Engram.Streams;

namespace Engram.Evaluation;

/// <summary>What an online stream is judged by while it runs, and not only where a group of classes ends, if points are added between.</summary>
/// <remarks>
/// Prequential accuracy: every piece is predicted before it is learnt (Gama, Sebastião and Rodrigues 2013, "On evaluating stream
/// learning algorithms": test-then-train, equation 1 with a loss of 0 and 1). Anytime accuracy: the area under the curve of accuracy against
/// samples seen, over those samples (Koh et al. 2022, "Online Continual Learning on Class Incremental Blurry Task Configuration
/// with Anytime Inference", A_AUC), by trapezoids between the measured points. An <see cref="Experiment"/> measures where tests are due,
/// in online streams where a group ends, and between as often as <see cref="Experiment.AnytimeEvery"/> says.
/// </remarks>
public sealed class OnlineAccuracy
{
    private readonly List<(long Samples, double Accuracy)> _curve = [];
    private long _hits;
    private long _tested;

    /// <summary>Share of samples predicted right before they were learnt; NaN before the first. A class never seen counts as wrong.</summary>
    public double Prequential => _tested == 0 ? double.NaN : (double)_hits / _tested;

    /// <summary>Area under the curve of accuracy, over the samples it spans: a mean over time; NaN before the first point.</summary>
    public double Anytime
    {
        get
        {
            if (_curve.Count < 2) return _curve.Count == 0 ? double.NaN : _curve[0].Accuracy;
            var area = _curve.Zip(_curve.Skip(1), (a, b) => (b.Samples - a.Samples) * (a.Accuracy + b.Accuracy) / 2).Sum();
            return area / (_curve[^1].Samples - _curve[0].Samples);
        }
    }

    /// <summary>Predicts an experience that is about to be learnt.</summary>
    /// <param name="learner">The learner, before it learns it.</param>
    /// <param name="experience">The experience.</param>
    /// <returns>The share predicted right.</returns>
    public double Test(IContinualLearner learner, Experience experience)
    {
        ArgumentNullException.ThrowIfNull(learner);
        ArgumentNullException.ThrowIfNull(experience);
        var right = RightOf(learner, experience);
        _hits += right;
        _tested += experience.Train.Count;
        return (double)right / experience.Train.Count;
    }

    /// <summary>How many samples of an experience are predicted right before it is learnt.</summary>
    internal static int RightOf(IContinualLearner learner, Experience experience)
    {
        var task = learner.Scenario == Scenario.TaskIncremental ? experience.TaskId : null;
        if (!experience.Classes.Any(label => learner.Classes.IdOf(label, task) >= 0)) return 0;
        var (truth, predicted) = Evaluator.Predict(learner, new EvaluationSet(experience.Name, experience.Train, experience.TaskId));
        return truth.Zip(predicted).Count(pair => pair.First == pair.Second);
    }

    /// <summary>Adds a point of the curve.</summary>
    /// <param name="samples">Samples learnt by then, more than at the last point.</param>
    /// <param name="accuracy">Accuracy on the test samples, 0 to 1.</param>
    /// <exception cref="ArgumentException">The point does not follow the last.</exception>
    public void Add(long samples, double accuracy)
    {
        if (_curve.Count > 0 && samples <= _curve[^1].Samples)
            throw new ArgumentException($"samples: {samples}, expected more than {_curve[^1].Samples}", nameof(samples));
        if (accuracy is not (>= 0 and <= 1)) throw new ArgumentException($"accuracy: {accuracy}, expected 0 to 1", nameof(accuracy));
        _curve.Add((samples, accuracy));
    }
}
