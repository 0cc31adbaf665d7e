using Engram.Learning;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>
/// Deep generative replay: keeps no sample; a generator learns beside the solver, and both are repeated what the previous
/// generator makes and the previous solver says of it. Shin et al. 2017, "Continual Learning with Deep Generative Replay";
/// with soft targets DGR + distillation, van de Ven and Tolias 2018, "Generative replay with feedback connections".
/// </summary>
/// <remarks>
/// In the n-th experience new samples count r = 1/n and generated ones 1 − r, for solver and generator alike, as in van de
/// Ven, Tuytelaars and Tolias 2022. Parts that other mechanisms add count as new, and the generator does not see them. The
/// generator takes one step per step of the solver, where Shin et al. train it first. In distillation, outputs that came since
/// have target 0. Its optimiser has a constant rate, whatever the learner's schedule.
/// </remarks>
public sealed class GenerativeReplay : GeneratedReplay
{
    private readonly ReplayGenerator _generator;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public GenerativeReplay(GenerativeReplayOptions? options = null) : base(options ??= new GenerativeReplayOptions())
    {
        ArgumentNullException.ThrowIfNull(options.Generator);
        _generator = options.Generator();
        Name = options.Targets == ReplayTargets.Hard ? "dgr" : "dgr-distil";
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override int ClassesInTurn => _generator.ClassesInTurn;

    private protected override long GeneratorBytes => _generator.Bytes;

    /// <inheritdoc/>
    public override Tensor Sample(int count) => _generator.Generate(count, before: false);

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) =>
        base.WhyNot(experience) ?? _generator.WhyNot(experience.Train);

    /// <inheritdoc/>
    protected internal override void BeginExperience(LearningContext context) => _generator.Begin(context);

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        base.Save(state);
        _generator.Save(state);
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        base.Load(context, state);
        _generator.Load(state);
        RequireGenerator(context, _generator.Bytes > 0, _generator.Remembers);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _generator.Dispose();
    }

    private protected override void RememberGenerator() => _generator.Remember();

    private protected override void ForgetGenerator() => _generator.Forget();

    private protected override Tensor GenerateBefore(int count) => _generator.Generate(count, before: true);

    private protected override void TrainGenerator(TrainingStep step) => _generator.Learn(
        UnitInputs.Of(step.Current.Raw), step.Current.Targets,
        Generated is null ? null : UnitInputs.Of(Generated.Raw), Generated?.Targets, Share(step.Context));
}
