using Engram.Data;
using Engram.Learning;
using Engram.Persistence;
using Engram.Retention.Sensitivity;

namespace Engram.Retention;

/// <summary>What <see cref="GradientEpisodicMemory"/> keeps and how firmly it holds.</summary>
public sealed record GemOptions
{
    /// <summary>Samples kept of each experience.</summary>
    /// <value>Default 256; 1 or more.</value>
    public int PerExperience { get; init; } = 256;

    /// <summary>γ, the memory strength of section 3: lower bound of the dual variables, which biases steps towards the past.</summary>
    /// <value>Default 1, chosen on validation data of class-incremental Split MNIST (the authors' code: 0.5); 0 or more.</value>
    public double MemoryStrength { get; init; } = 1;
}

/// <summary>
/// Gradient episodic memory: turns a gradient that would raise the loss on any earlier experience into the nearest one that
/// would not. Lopez-Paz and Ranzato 2017, "Gradient Episodic Memory for Continual Learning": with the memories' gradients
/// as rows of G, the dual min_v ½ vᵀGGᵀv + gᵀGᵀv, v ≥ γ (equation 11), gives g̃ = Gᵀv + g (equation 12).
/// </summary>
/// <remarks>
/// Deviations: each memory is a random draw from its experience, taken when it ends, not the last samples seen. The
/// gradient is looked at after all other mechanisms have added to it. Gradients of the memories are taken in training
/// mode (with dropout), as in the authors' code; models of linear and convolutional layers take all memories in one pass.
/// Time and memory grow with the number of experiences: one gradient of the model's size for each.
/// </remarks>
public sealed class GradientEpisodicMemory : RetentionMechanism
{
    private readonly GemOptions _options;
    private readonly List<int> _counts = [];
    private Tensor? _raw;
    private Tensor? _targets;
    private Tensor? _tasks;
    private Tensor? _gradients; // G, [memories, parameters], while an experience is learnt
    private LayerTrace? _trace;
    private bool _traced;

    /// <summary>Creates it.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public GradientEpisodicMemory(GemOptions? options = null)
    {
        _options = options ?? new GemOptions();
        if (_options.PerExperience < 1)
            throw new ArgumentException($"PerExperience: {_options.PerExperience}, expected 1 or more");
        if (!(_options.MemoryStrength >= 0 && double.IsFinite(_options.MemoryStrength)))
            throw new ArgumentException($"MemoryStrength: {_options.MemoryStrength}, expected 0 or more");
    }

    /// <inheritdoc/>
    public override string Name => "gem";

    /// <inheritdoc/>
    protected internal override object? Recipe => _options;

    /// <inheritdoc/>
    public override Seams Seams => Seams.Projection;

    /// <inheritdoc/>
    protected internal override bool MixesTasks => true;

    /// <inheritdoc/>
    public override long SamplesStored => _counts.Sum(count => (long)count);

    /// <inheritdoc/>
    protected internal override IEnumerable<(int ClassId, int Count)> StoredByClass(LearningContext context) => _targets?.data<long>().Select(id => ((int)id, 1)) ?? [];

    /// <inheritdoc/>
    public override long MemoryBytes => new[] { _raw, _targets, _tasks, _gradients }
        .Sum(tensor => tensor is null ? 0 : tensor.numel() * tensor.element_size());

    /// <summary>Samples kept of each experience so far.</summary>
    public IReadOnlyList<int> Counts => _counts;

    /// <summary>Steps in which the gradient was changed.</summary>
    public long Projections { get; private set; }

    /// <inheritdoc/>
    protected internal override string? WhyNotBeside(RetentionMechanism other) => other is AveragedGradientEpisodicMemory
        ? $"keeps the gradient from harming what is remembered as {other.Name} does, expected one of them"
        : null;

    /// <inheritdoc/>
    protected internal override void BeginExperience(LearningContext context)
    {
        _traced = false;
        _gradients?.Dispose();
        _gradients = null;
    }

    /// <inheritdoc/>
    protected internal override void ProjectGradient(TrainingStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (_counts.Count == 0) return;
        using var scope = NewDisposeScope();
        var context = step.Context;
        TakeGradients(context);
        using var _ = no_grad();
        var gradient = context.Arena.Gradient;
        // One number per memory decides whether anything is to do: this is the one value the method reads every step.
        var products = _gradients!.mv(gradient).data<float>().Select(value => (double)value).ToArray();
        if (products.All(product => product >= 0)) return;
        var gram = _gradients.mm(_gradients.t()).data<float>().ToArray();
        var n = products.Length;
        var p = new double[n, n];
        for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++) p[i, j] = gram[(i * n) + j];
        var v = NonnegativeQuadratic.Solve(p, products, _options.MemoryStrength);
        gradient.addmv_(_gradients.t(), tensor(Array.ConvertAll(v, value => (float)value)));
        Projections++;
    }

    /// <inheritdoc/>
    protected internal override void EndExperience(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var random = new SeededRandom(context.Options.Seed, $"gem/{context.Experience.Index}");
        var chosen = random.Permutation(context.Source.Count).Take(_options.PerExperience).Select(i => (long)i).ToArray();
        var part = context.Fetch(chosen);
        _counts.Add(part.Count);
        Append(ref _raw, part.Raw);
        Append(ref _targets, part.Targets);
        if (part.Tasks is not null) Append(ref _tasks, part.Tasks);
        _gradients?.Dispose();
        _gradients = null;
    }

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Values["projections"] = Projections;
        if (_raw is null) return;
        state.Tensors["raw"] = _raw;
        state.Tensors["targets"] = _targets!;
        state.Tensors["counts"] = tensor(_counts.Select(count => (long)count).ToArray());
        if (_tasks is not null) state.Tensors["tasks"] = _tasks;
    }

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Projections = state.Values.Value<long>("projections");
        (_raw, _targets, _tasks) = (state.Take("raw"), state.Take("targets"), state.Take("tasks"));
        _counts.Clear();
        if (_raw is null) return;
        _counts.AddRange(state.Tensors["counts"].data<long>().Select(count => checked((int)count)));
        if (_counts.Any(count => count < 1) || SamplesStored != _raw.size(0) || _targets is null || _targets.size(0) != _raw.size(0))
            throw new FormatException($"counts: [{string.Join(", ", _counts)}], expected 1 or more each, and {_raw.size(0)} samples and targets in all");
        if (_targets.dim() == 1 && _targets.data<long>().Any(id => id < 0 || id >= state.Classes))
            throw new FormatException($"targets: expected ids of {state.Classes} classes");
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        foreach (var tensor in new[] { _raw, _targets, _tasks, _gradients }) tensor?.Dispose();
    }

    // Row m of G becomes the gradient of the mean loss over memory m.
    private void TakeGradients(LearningContext context)
    {
        _gradients ??= zeros(_counts.Count, context.Arena.Length).DetachFromDisposeScope();
        var part = context.Targets.Part(_raw!, Widened(context), _tasks);
        if (!_traced)
        {
            _trace = LayerTrace.TryCreate(context, part.Inputs.narrow(0, 0, Math.Min(8, part.Count)));
            _traced = true;
        }
        if (_trace is null) OneByOne(context, part);
        else InOnePass(context, part);
    }

    private void InOnePass(LearningContext context, BatchPart part)
    {
        var logits = _trace!.Forward(part.Inputs)!;
        var leaf = logits.detach().requires_grad_();
        var weights = cat([.. _counts.Select(count => full(count, Held(1f / count)))]);
        var loss = context.Targets.LossPerSample(leaf, part.Targets, part.Tasks).mul(weights).sum();
        var deltas = _trace.Backward(logits, autograd.grad([loss], [leaf])[0]);
        using var _ = no_grad();
        long first = 0;
        for (var memory = 0; memory < _counts.Count; memory++)
        {
            _trace.Gradient(deltas, first, _counts[memory], _gradients!.select(0, memory));
            first += _counts[memory];
        }
    }

    private void OneByOne(LearningContext context, BatchPart all)
    {
        long first = 0;
        for (var memory = 0; memory < _counts.Count; memory++)
        {
            using var scope = NewDisposeScope();
            var (start, count) = (first, (long)_counts[memory]);
            var part = new BatchPart
            {
                Raw = all.Raw.narrow(0, start, count),
                Inputs = all.Inputs.narrow(0, start, count),
                Targets = all.Targets.narrow(0, start, count),
                Tasks = all.Tasks?.narrow(0, start, count),
            };
            var gradient = context.GradientOf(
                () => context.Targets.Loss(context.Model.forward(part.Inputs), part));
            using var _ = no_grad();
            _gradients!.select(0, memory).copy_(gradient);
            first += count;
        }
    }

    // Values of outputs that came after a sample was kept are unknown.
    private Tensor Widened(LearningContext context) => Widened(_targets!, context.Classes.Count);

    private static Tensor Widened(Tensor targets, long width)
    {
        if (targets.dim() == 1 || targets.size(1) == width) return targets;
        var wider = full(targets.size(0), width, Held(float.NaN));
        wider.narrow(1, 0, targets.size(1)).copy_(targets);
        return wider;
    }

    private static void Append(ref Tensor? kept, Tensor rows)
    {
        var earlier = kept;
        kept = (earlier is null
            ? rows.clone()
            : cat([rows.dim() == 2 && rows.is_floating_point() ? Widened(earlier, rows.size(1)) : earlier, rows]))
            .DetachFromDisposeScope();
        earlier?.Dispose();
    }
}
