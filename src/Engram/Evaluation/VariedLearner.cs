using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;

namespace Engram.Evaluation;

/// <summary>
/// A learner whose options may differ from experience to experience: where they do, another learner takes over all that the one
/// before has learnt.
/// </summary>
internal sealed class VariedLearner(
    Strategy strategy, Func<ContinualModel> model, LearnerOptions options, StrategyBudget budget, ExperienceVariants? variants,
    TimeProvider clock) : IDisposable
{
    private (LearnerOptions Training, Strategy Strategy) _now;

    /// <summary>The learner that learnt last.</summary>
    public Learner Learner { get; private set; } = null!;

    /// <summary>Builds the learner, and brings it to where it was stopped.</summary>
    public StrategyMeasurements Start(ExperimentCheckpoints? checkpoints)
    {
        if (checkpoints?.SavedOf(strategy.Name) is not var (measured, inside))
        {
            Learner = Build(Of(0));
            return new StrategyMeasurements();
        }
        // Between experiences the learner of the last one was saved.
        Learner = Build(Of(inside ? measured.Position : Math.Max(measured.Position - 1, 0)));
        checkpoints.Restore(Learner);
        return measured;
    }

    /// <summary>The learner for the experience at a position; past the end, the last.</summary>
    public Learner At(int position)
    {
        if (variants is null || Learner.Cursor is not null) return Learner;
        var wanted = Of(position);
        if (wanted == _now) return Learner;
        var successor = Build(wanted);
        using var before = Learner;
        Learner = successor;
        Bundle.Carry(before, successor);
        successor.Optimizer.LearningRate = successor.Context.Options.Optimizer.LearningRate;
        return successor;
    }

    public void Dispose() => Learner?.Dispose();

    private Learner Build((LearnerOptions Training, Strategy Strategy) variant)
    {
        _now = variant;
        return new Learner(model, variant.Training, variant.Strategy.Create(budget), clock);
    }

    private (LearnerOptions Training, Strategy Strategy) Of(int position) => variants?.Invoke(position, strategy.Name) ?? (options, strategy);
}
