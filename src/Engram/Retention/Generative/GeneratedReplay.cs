using Engram.Learning;
using Engram.Models;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>
/// What mechanisms that replay generated samples share: the previous solver that labels them, and the weights. In the n-th
/// experience all else counts r = 1/n and generated samples 1 − r.
/// </summary>
public abstract class GeneratedReplay : RetentionMechanism, ISampleGenerator
{
    private readonly GeneratedReplayOptions _options;
    private readonly FrozenModel _solver = new();

    private protected GeneratedReplay(GeneratedReplayOptions options) => _options = options.Checked();

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.Samples | Seams.ExtraLoss;

    /// <inheritdoc/>
    public override long MemoryBytes => _solver.Bytes + GeneratorBytes;

    private protected abstract long GeneratorBytes { get; }

    // The generated rows of this step, and what the previous solver says of them; null in the first experience.
    private protected BatchPart? Generated { get; private set; }

    private protected Tensor? SolverLogits { get; private set; }

    /// <inheritdoc/>
    public abstract int ClassesInTurn { get; }

    /// <inheritdoc/>
    public abstract Tensor Sample(int count);

    /// <inheritdoc/>
    protected internal override string? WhyNot(LearnerOptions options) =>
        options is { Scenario: Scenario.TaskIncremental }
            ? "replays without knowing tasks, expected class- or domain-incremental learning"
            : null;

    /// <inheritdoc/>
    protected internal override string? WhyNotBeside(RetentionMechanism other) =>
        other is GeneratedReplay ? $"replays generated samples as {other.Name} does, expected one of them" : null;

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) => Require.Classes(experience, Name);

    /// <inheritdoc/>
    protected internal override void BeforeGrowth(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Completed == 0) return;
        _solver.Capture(context);
        RememberGenerator();
    }

    /// <inheritdoc/>
    protected internal override void OnGrowth(LearningContext context, ArenaChange change) => _solver.Carry(change);

    /// <inheritdoc/>
    protected internal override void AddSamples(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        (Generated, SolverLogits) = (null, null);
        if (!_solver.Exists) return;
        var context = step.Context;
        var flat = GenerateBefore(_options.BatchSize ?? context.Options.BatchSize);
        var raw = flat.view([flat.size(0), .. context.Source.InputShape]);
        SolverLogits = _solver.Forward(context, context.Model.Scaling.Apply(raw)).Logits;
        Generated = context.Targets.Part(raw, SolverLogits.argmax(1), tasks: null);
        // Soft targets have a loss of their own.
        Generated.Weight = _options.Targets == ReplayTargets.Hard ? 1 - Share(context) : 0;
        step.Parts.Add(Generated);
    }

    /// <inheritdoc/>
    protected internal override void BeforeForward(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (Generated is null) return;
        var own = Generated.Weight;
        Distillation.ScaleLabels(step, Share(step.Context));
        Generated.Weight = own;
    }

    /// <inheritdoc/>
    protected internal override Tensor? ExtraLoss(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (Generated is null || _options.Targets == ReplayTargets.Hard) return null;
        var scale = _options.SquaredTemperature ? _options.Temperature * _options.Temperature : 1;
        return Distillation.SoftCrossEntropy(
            TrainingStep.RowsOf(step.Logits, Generated), SolverLogits!, _options.Temperature, scale * (1 - Share(step.Context)));
    }

    /// <inheritdoc/>
    protected internal override void AfterStep(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        TrainGenerator(step);
        (Generated, SolverLogits) = (null, null);
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        _solver.Dispose();
        ForgetGenerator();
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state) => _solver.Save(state);

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state) => _solver.Load(state);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _solver.Dispose();

    // What a file says of experiences learnt, and of the solver before this one, holds for the generator too.
    private protected void RequireGenerator(LearningContext context, bool knows, bool remembers)
    {
        if (context.Completed > 0 && !knows)
            throw new FormatException($"generator: missing, expected that of the {context.Completed} experience(s) learnt");
        if (_solver.Exists && !remembers)
            throw new FormatException("teacher: there without the generator of its time, expected both or neither");
    }

    private protected abstract void RememberGenerator();

    private protected abstract void ForgetGenerator();

    // float32 [count, inputs], from the generator as it was before this experience.
    private protected abstract Tensor GenerateBefore(int count);

    private protected abstract void TrainGenerator(TrainingStep step);

    // r = 1/n in the n-th experience.
    private protected static double Share(LearningContext context) => 1 / (context.Completed + 1.0);
}
