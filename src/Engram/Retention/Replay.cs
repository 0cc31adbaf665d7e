using Engram.Learning;
using Engram.Memory;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>
/// Experience replay: repeats stored samples beside new ones, which holds old decisions in place where they are needed.
/// Rolnick et al. 2019, "Experience Replay for Continual Learning"; Chaudhry et al. 2019, "On Tiny Episodic Memories".
/// </summary>
/// <remarks>
/// The loss is the mean over new and repeated samples together, as if they were one batch. <see cref="ReplayOptions"/>
/// chooses GSS (what is kept) and MIR (what is repeated).
/// </remarks>
public sealed class Replay : RetentionMechanism
{
    private readonly ReplayOptions _options;
    private RehearsalMemory _memory = null!;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public Replay(ReplayOptions? options = null) => _options = (options ?? new ReplayOptions()).Validated();

    /// <inheritdoc/>
    public override string Name => "replay";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.Samples;

    /// <inheritdoc/>
    public override long SamplesStored => _memory.Buffer.Count;

    /// <inheritdoc/>
    protected internal override IEnumerable<(int ClassId, int Count)> StoredByClass(LearningContext context) => _memory.Buffer.ClassSizes.Index();

    /// <inheritdoc/>
    public override long MemoryBytes => _memory.Bytes;

    /// <summary>The memory.</summary>
    public ReplayBuffer Buffer => _memory.Buffer;

    /// <inheritdoc/>
    protected internal override string? WhyNotBeside(RetentionMechanism other) => ExemplarMechanism.SecondMemory(other);

    /// <inheritdoc/>
    protected internal override string? WhyNot(Experience experience) =>
        _options.Selection is Selection.Herding or Selection.ClosestToMean
            ? Require.Classes(experience, $"{Name} with {_options.Selection}")
            : null;

    /// <inheritdoc/>
    protected internal override void Attach(LearningContext context) =>
        _memory = new RehearsalMemory(_options, context, Name);

    /// <inheritdoc/>
    protected internal override void AddSamples(TrainingStep step) => _memory.Repeat(step);

    /// <inheritdoc/>
    protected internal override void AfterStep(TrainingStep step) => _memory.AfterStep(step);

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context) => _memory.EndExperience(context);

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state) => _memory.Save(state);

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state) => _memory.Load(state);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _memory?.Dispose();
}
