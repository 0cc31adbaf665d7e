using Engram.Learning;
using Engram.Models;

namespace Engram.Retention;

/// <summary>How <see cref="LessForgettingLearning"/> holds features.</summary>
public sealed record LflOptions
{
    /// <summary>λ_e: how much a change of features costs.</summary>
    /// <value>Default 10, chosen on validation digits (sum over features, mean over samples); 0 or more.</value>
    public double Lambda { get; init; } = 10;

    /// <summary>Whether rows of the head that belong to classes known before stay as they are.</summary>
    /// <value>Default true: the paper freezes the softmax layer, "the boundary".</value>
    public bool FreezeHead { get; init; } = true;
}

/// <summary>
/// Less-forgetting learning: features of the new samples must stay where the old model put them, and the old decision
/// boundaries stay fixed. Jung et al. 2016, "Less-forgetting Learning in Deep Neural Networks":
/// λ_c L_c + λ_e L_e with L_e = ½ ‖f(x; θ_old) − f(x; θ_new)‖² over the features, here the mean over samples; λ_c = 1.
/// </summary>
/// <remarks>
/// Made for the same classes in new domains. New classes may come too: their rows are free, old rows are frozen.
/// Frozen rows are put back after every step, since momentum would move them even without gradient.
/// </remarks>
public sealed class LessForgettingLearning : RetentionMechanism
{
    private readonly LflOptions _options;
    private readonly FrozenModel _teacher = new();
    private Tensor? _features;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public LessForgettingLearning(LflOptions? options = null)
    {
        _options = options ?? new LflOptions();
        if (!(_options.Lambda >= 0 && double.IsFinite(_options.Lambda)))
            throw new ArgumentException($"Lambda: {_options.Lambda}, expected 0 or more");
    }

    /// <inheritdoc/>
    public override string Name => "lfl";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.ExtraLoss | (_options.FreezeHead ? Seams.Parameters : Seams.None);

    /// <inheritdoc/>
    public override long MemoryBytes => _teacher.Bytes;

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) =>
        // Where classes come, frozen rows are those of outputs that were there before: initial ones would never learn.
        _options.FreezeHead && options is { Scenario: Scenario.ClassIncremental, InitialLabels.Count: > 0 }
            ? ExemplarMechanism.OutputsTellNewFromOld
            : null;

    /// <inheritdoc/>
    protected internal override void BeforeGrowth(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Completed > 0) _teacher.Capture(context);
    }

    /// <inheritdoc/>
    protected internal override void OnGrowth(LearningContext context, ArenaChange change) => _teacher.Carry(change);

    /// <inheritdoc/>
    protected internal override void BeforeForward(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        _features = _teacher.Exists ? _teacher.Forward(step.Context, step.Inputs).Features : null;
    }

    /// <inheritdoc/>
    protected internal override Tensor? ExtraLoss(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        return _features is null
            ? null
            : step.Features.sub(_features).pow(Held(2)).sum().mul(Held(0.5 * _options.Lambda / _features.size(0)));
    }

    /// <inheritdoc/>
    protected internal override void AfterStep(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (!_options.FreezeHead || !_teacher.Exists) return;
        var (arena, classes) = (step.Context.Arena, step.Context.Model.Head.ClassCount);
        foreach (var slot in arena.Slots)
        {
            // Parameters with a row for each class; what they share over classes is frozen whole.
            if (!slot.Name.StartsWith("head.", StringComparison.Ordinal)) continue;
            var (now, then) = (slot.Of(arena.Values), slot.Of(_teacher.Values!));
            if (slot.Shape.Length > 0 && slot.Shape[0] == classes)
                (now, then) = (now.narrow(0, 0, _teacher.Classes), then.narrow(0, 0, _teacher.Classes));
            now.copy_(then);
        }
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context) => _teacher.Dispose();

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state) => _teacher.Save(state);

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state) => _teacher.Load(state);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _teacher.Dispose();
}
