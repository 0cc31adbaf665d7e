using Engram.Learning;
using Engram.Retention;

namespace Engram.Evaluation;

/// <summary>What an <see cref="Experiment"/> has just done or is doing.</summary>
public enum ExperimentEvent
{
    /// <summary>A strategy starts with a new learner.</summary>
    StrategyStarted,

    /// <summary>A strategy had come to its end before the run was stopped; <see cref="ExperimentProgress.Result"/> has all it reached.</summary>
    StrategyRestored,

    /// <summary>An experience is being learnt; <see cref="ExperimentProgress.Learning"/> says how far.</summary>
    Learning,

    /// <summary>An experience was learnt and the tests run.</summary>
    Testing,

    /// <summary>An experience was learnt and tested; <see cref="ExperimentProgress.Measured"/> has the numbers.</summary>
    PhaseMeasured,

    /// <summary>A strategy came to its end; <see cref="ExperimentProgress.Result"/> has all it reached.</summary>
    StrategyFinished,
}

/// <summary>Where an experiment stands.</summary>
/// <param name="Event">What this report is about.</param>
/// <param name="Strategy">The strategy running.</param>
/// <param name="StrategyIndex">Its place in the order of the run, from 0.</param>
/// <param name="Strategies">How many strategies run in all.</param>
/// <param name="Phase">The experience, from 0.</param>
/// <param name="Phases">How many experiences there are.</param>
/// <param name="PhaseName">The experience's name, for example <c>0-4</c>.</param>
/// <param name="Fraction">Share of the whole experiment's expected work that is done, 0 to 1.</param>
public sealed record ExperimentProgress(
    ExperimentEvent Event, Strategy Strategy, int StrategyIndex, int Strategies, int Phase, int Phases,
    string PhaseName, double Fraction)
{
    /// <summary>How far learning is; with <see cref="ExperimentEvent.Learning"/>.</summary>
    public LearningProgress? Learning { get; init; }

    /// <summary>What the tests showed; with <see cref="ExperimentEvent.PhaseMeasured"/>.</summary>
    public PhaseMeasurement? Measured { get; init; }

    /// <summary>Names of the experiences before this one, in order; with <see cref="ExperimentEvent.PhaseMeasured"/>.</summary>
    public IReadOnlyList<string> EarlierPhases { get; init; } = [];

    /// <summary>All the strategy reached; with <see cref="ExperimentEvent.StrategyFinished"/> and <see cref="ExperimentEvent.StrategyRestored"/>.</summary>
    public StrategyResult? Result { get; init; }
}

/// <summary>What the tests showed after one experience.</summary>
/// <param name="AccuracySoFar">Accuracy over the test samples of all classes so far.</param>
/// <param name="Accuracy">Accuracy on each experience so far.</param>
/// <param name="Forgetting">Mean drop of earlier experiences from their best accuracy; 0 after the first.</param>
/// <param name="Cost">What learning and testing cost.</param>
public sealed record PhaseMeasurement(
    double AccuracySoFar, IReadOnlyList<double> Accuracy, double Forgetting, ExperienceCost Cost);
