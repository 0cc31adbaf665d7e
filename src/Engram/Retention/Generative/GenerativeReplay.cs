using Engram.Learning;
using Engram.Models;

namespace Engram.Retention;

/// <summary>
/// Deep generative replay: keeps no sample; a generator learns beside the solver, and both are repeated what the previous
/// generator makes and the previous solver says of it. Shin et al. 2017, "Continual Learning with Deep Generative Replay",
/// section 3; with soft targets as in van de Ven and Tolias 2018, "Generative replay with feedback connections" (DGR + distillation).
/// </summary>
/// <remarks>
/// In the n-th experience new samples count r = 1/n and generated ones 1 − r, for solver and generator alike (equations 1 and
/// 2 without the test loss; n and the weights as in van de Ven, Tuytelaars and Tolias 2022). Parts that other mechanisms add
/// count as new. The generator takes one step per step of the solver, where Shin et al. train it first. Distillation has no
/// factor T², and outputs that came since have target 0.
/// </remarks>
public sealed class GenerativeReplay : RetentionMechanism
{
    private readonly GenerativeReplayOptions _options;
    private readonly ReplayGenerator _generator;
    private readonly FrozenModel _solver = new();
    private BatchPart? _part;
    private Tensor? _soft;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public GenerativeReplay(GenerativeReplayOptions? options = null)
    {
        _options = (options ?? new GenerativeReplayOptions()).Validated();
        _generator = _options.Generator();
    }

    /// <inheritdoc/>
    public override string Name => _options.Targets == ReplayTargets.Hard ? "dgr" : "dgr-distil";

    /// <inheritdoc/>
    public override Seams Seams => Seams.Samples | Seams.ExtraLoss;

    /// <inheritdoc/>
    public override long MemoryBytes => _generator.Bytes + _solver.Bytes;

    /// <summary>Samples as the generator makes them now, float32 <c>[count, inputs]</c> in 0..1, to look at.</summary>
    /// <param name="count">How many.</param>
    public Tensor Sample(int count) => _generator.Generate(count, before: false);

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) =>
        options is { Scenario: Scenario.TaskIncremental }
            ? "replays without knowing tasks, expected class- or domain-incremental learning"
            : null;

    /// <inheritdoc/>
    protected internal override void BeforeGrowth(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        ExemplarMechanism.ExpectClasses(context, Name);
        if (context.Completed == 0) return;
        _solver.Capture(context);
        _generator.Remember();
    }

    /// <inheritdoc/>
    protected internal override void OnGrowth(LearningContext context, ArenaChange change) => _solver.Carry(change);

    /// <inheritdoc/>
    protected internal override void BeginExperience(LearningContext context) => _generator.Begin(context);

    /// <inheritdoc/>
    protected internal override void AddSamples(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        (_part, _soft) = (null, null);
        if (!_solver.Exists) return;
        var context = step.Context;
        var flat = _generator.Generate(_options.BatchSize ?? context.Options.BatchSize, before: true);
        var raw = flat.view([flat.shape[0], .. context.Source.InputShape]);
        var logits = _solver.Forward(context, context.Model.Scaling.Apply(raw)).Logits;
        _part = context.Targets.Part(raw, logits.argmax(1), tasks: null);
        // Soft targets have a loss of their own.
        _part.Weight = _options.Targets == ReplayTargets.Hard ? 1 - Share(context) : 0;
        _soft = _options.Targets == ReplayTargets.Soft ? logits : null;
        step.Parts.Add(_part);
    }

    /// <inheritdoc/>
    protected internal override void BeforeForward(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (_part is null) return;
        var own = _part.Weight;
        Distillation.ScaleLabels(step, Share(step.Context));
        _part.Weight = own;
    }

    /// <inheritdoc/>
    protected internal override Tensor? ExtraLoss(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        return _soft is null || _part is null
            ? null
            : Distillation.SoftCrossEntropy(TrainingStep.RowsOf(step.Logits, _part), _soft, _options.Temperature)
                .mean().mul(Held(1 - Share(step.Context)));
    }

    /// <inheritdoc/>
    protected internal override void AfterStep(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        _generator.Learn(
            UnitInputs.Of(step.Current.Raw), step.Current.Targets,
            _part is null ? null : UnitInputs.Of(_part.Raw), _part?.Targets, Share(step.Context));
        (_part, _soft) = (null, null);
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        _solver.Dispose();
        _generator.Forget();
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        _solver.Save(state);
        _generator.Save(state);
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        _solver.Load(state);
        _generator.Load(state);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _solver.Dispose();
        _generator.Dispose();
    }

    // r = 1/n in the n-th experience.
    private static double Share(LearningContext context) => 1 / (context.Completed + 1.0);
}
