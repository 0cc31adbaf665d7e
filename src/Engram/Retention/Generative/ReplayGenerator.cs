using Engram.Data;
using Engram.Learning;

namespace Engram.Retention;

/// <summary>Learns to make samples like those of the stream, and makes them from what it knew before the present experience.</summary>
/// <remarks>Samples are float32 <c>[n, inputs]</c>, flat, bytes brought to 0..1. All calls come from within a learner.</remarks>
public abstract class ReplayGenerator : IDisposable
{
    /// <summary>Bytes of parameters, moments and copies held.</summary>
    public abstract long Bytes { get; }

    /// <summary>Whether there is something to replay: <see cref="Remember"/> was called since the last <see cref="Forget"/>.</summary>
    public abstract bool Remembers { get; }

    /// <summary>Why it cannot learn to make these samples, or null. Asked before anything changes.</summary>
    /// <param name="samples">Of a new experience.</param>
    public virtual string? WhyNot(ISampleSource samples) => null;

    /// <summary>How many classes take turns, in order of their ids, in samples of the generator as it is now; 0 where it cannot choose.</summary>
    public virtual int ClassesInTurn => 0;

    /// <summary>Called at the start of every experience; builds the networks at the first.</summary>
    /// <param name="context">The experience's classes are registered.</param>
    public abstract void Begin(LearningContext context);

    /// <summary>Keeps the generator as it is now, to replay from.</summary>
    public abstract void Remember();

    /// <summary>Lets the copy go.</summary>
    public abstract void Forget();

    /// <summary>Makes samples.</summary>
    /// <param name="count">How many.</param>
    /// <param name="before">From the copy that <see cref="Remember"/> kept, or from the generator as it is now.</param>
    public abstract Tensor Generate(int count, bool before);

    /// <summary>Takes one step.</summary>
    /// <param name="current">New samples.</param>
    /// <param name="classes">Their class ids, int64 <c>[n]</c>.</param>
    /// <param name="replayed">Replayed samples, or null.</param>
    /// <param name="replayedClasses">Their class ids by the previous solver.</param>
    /// <param name="share">How much the new samples count; the replayed ones count the rest.</param>
    public abstract void Learn(Tensor current, Tensor classes, Tensor? replayed, Tensor? replayedClasses, double share);

    /// <summary>Names all state, to save it.</summary>
    /// <param name="state">Receives it.</param>
    public abstract void Save(MechanismState state);

    /// <summary>Puts saved state back.</summary>
    /// <param name="state">What <see cref="Save"/> named.</param>
    public abstract void Load(MechanismState state);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>A <see cref="Vae"/> as generator, as van de Ven, Tuytelaars and Tolias 2022 have it.</summary>
/// <param name="options">Null for the defaults.</param>
/// <exception cref="ArgumentException">An option is out of range.</exception>
public sealed class VaeGenerator(VaeOptions? options = null) : ReplayGenerator
{
    private readonly VaeOptions _options = (options ?? new VaeOptions()).Validated();
    private SideNetwork<Vae>? _network;

    /// <inheritdoc/>
    public override long Bytes => _network?.Bytes ?? 0;

    /// <inheritdoc/>
    public override bool Remembers => _network?.Remembers ?? false;

    /// <inheritdoc/>
    public override string? WhyNot(ISampleSource samples) => UnitInputs.WhyNot(samples, _options.Reconstruction, "a VAE");

    /// <inheritdoc/>
    public override void Begin(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (_network is null) Build(UnitInputs.Count(context.Source));
        if (context.Options.ResetOptimizer) _network!.Optimizer.Reset();
    }

    /// <inheritdoc/>
    public override void Remember() => _network?.Remember();

    /// <inheritdoc/>
    public override void Forget() => _network?.Forget();

    /// <inheritdoc/>
    public override Tensor Generate(int count, bool before)
    {
        var network = _network ?? throw new InvalidOperationException("generator: knows nothing yet, expected an experience first");
        using var former = before ? network.AsBefore() : null;
        return network.Module.Generate(count);
    }

    /// <inheritdoc/>
    public override void Learn(Tensor current, Tensor classes, Tensor? replayed, Tensor? replayedClasses, double share)
    {
        ArgumentNullException.ThrowIfNull(current);
        _network!.Descend(() => _network.Module.LossPerSample(replayed is null ? current : cat([current, replayed]))
            .dot(GenerativeLoss.RowWeights(current.size(0), replayed?.size(0) ?? 0, share)));
    }

    /// <inheritdoc/>
    public override void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (_network is null) return;
        state.Values["vae.inputs"] = _network.Module.Inputs;
        _network.Save(state, "vae");
    }

    /// <inheritdoc/>
    public override void Load(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.Values["vae.inputs"] is not { } inputs) return;
        state.Require("vae.values", Vae.Numbers((int)inputs, _options));
        Build((int)inputs);
        _network!.Load(state, "vae");
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _network?.Dispose();
        _network = null;
    }

    private void Build(int inputs)
    {
        Dispose();
        using var scope = NewDisposeScope();
        _network = new SideNetwork<Vae>(new Vae(inputs, _options), _options.Optimizer);
    }
}
