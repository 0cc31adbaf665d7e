using System.Text.Json.Nodes;
using Engram.Data;
using Engram.Learning;

namespace Engram.Retention;

/// <summary>
/// A conditional generative adversarial network as generator, for small images: it paints what class is asked for, so that no class
/// fades by chance. Mirza and Osindero 2014; the non-saturating loss of Goodfellow et al. 2014 (section 3), a critic by projection
/// (Miyato and Koyama 2018) under spectral normalisation (Miyato et al. 2018).
/// </summary>
/// <remarks>
/// Images <c>[channels, height, width]</c> in 0..1 with sides that four divides. A step is one of the critic and one of the
/// generator; both see generated images of the same classes and with the same weights as the real ones, replayed rows counting 1 −
/// <c>share</c>. Samples come from a running average of the generator's weights (Karras et al. 2018).
/// </remarks>
/// <param name="options">Null for the defaults.</param>
/// <exception cref="ArgumentException">An option is out of range.</exception>
public sealed class GanGenerator(GanOptions? options = null) : ReplayGenerator
{
    private readonly GanOptions _options = (options ?? new GanOptions()).Validated();
    private readonly SortedSet<long> _seen = [];
    private long[] _replayable = [];
    private long[] _image = []; // channels, height, width
    private SideNetwork<GanPainter>? _painter;
    private SideNetwork<GanCritic>? _critic;
    private Tensor? _average; // of the painter's weights, in its arena's layout
    private Tensor? _before; // the average when it last remembered

    /// <inheritdoc/>
    public override long Bytes => _painter is null ? 0
        : _painter.Bytes + _critic!.Bytes + _critic.Module.NormBytes + (4 * (_average!.numel() + (_before?.numel() ?? 0)));

    /// <inheritdoc/>
    public override int ClassesInTurn => _seen.Count;

    /// <inheritdoc/>
    public override bool Remembers => _before is not null;

    /// <inheritdoc/>
    public override string? WhyNot(ISampleSource samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        var shape = samples.InputShape;
        return IsImage(shape)
            ? UnitInputs.WhyNot(samples, "a GAN")
            : $"samples of shape [{string.Join(", ", shape)}], expected images [channels, height, width] with sides that 4 divides for a GAN";
    }

    /// <inheritdoc/>
    public override void Begin(LearningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        foreach (var id in context.ClassIds) _seen.Add(id);
        if (_painter is null) Build([.. context.Source.InputShape], context.Classes.Count);
        Grow(context.Classes.Count - _painter!.Module.Classes);
        if (!context.Options.ResetOptimizer) return;
        _painter.Optimizer.Reset();
        _critic!.Optimizer.Reset();
    }

    /// <inheritdoc/>
    public override void Remember()
    {
        Forget();
        if (_average is null) return;
        _replayable = [.. _seen];
        _before = _average.clone().DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public override void Forget()
    {
        _before?.Dispose();
        _before = null;
    }

    /// <inheritdoc/>
    /// <remarks>To replay, classes are drawn alike; as it is now, classes learnt so far take turns, in order of their ids.</remarks>
    public override Tensor Generate(int count, bool before)
    {
        var painter = _painter ?? throw new InvalidOperationException("generator: knows nothing yet, expected an experience first");
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        long[] known = [.. _seen];
        var classes = before
            ? tensor(_replayable).index_select(0, randint(_replayable.Length, [count], ScalarType.Int64))
            : tensor(Enumerable.Range(0, count).Select(i => known[i % known.Length]).ToArray());
        using var averaged = painter.Arena.Borrow(
            before ? _before ?? throw new InvalidOperationException("generator: nothing to go back to") : _average!);
        return Paint(classes).flatten(1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void Learn(Tensor current, Tensor classes, Tensor? replayed, Tensor? replayedClasses, double share)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(classes);
        using var scope = NewDisposeScope();
        var (painter, critic) = (_painter!, _critic!);
        var images = (replayed is null ? current : cat([current, replayed])).view([-1, .. _image]);
        var asked = replayedClasses is null ? classes : cat([classes, replayedClasses]);
        var weights = GenerativeLoss.RowWeights(current.size(0), replayed?.size(0) ?? 0, share);
        Tensor painted;
        using (no_grad()) painted = Paint(asked);
        critic.Descend(() =>
        {
            var scores = critic.Module.Judge(learns: true)(cat([images, painted]), cat([asked, asked]));
            return GenerativeLoss.Adversarial(scores.narrow(0, 0, asked.size(0)), real: true).dot(weights)
                .add(GenerativeLoss.Adversarial(scores.narrow(0, asked.size(0), asked.size(0)), real: false).dot(weights), alpha: Held(1));
        });
        painter.Descend(() =>
            GenerativeLoss.Adversarial(critic.Module.Judge(learns: false)(Paint(asked), asked), real: true).dot(weights));
        using var _ = no_grad();
        // A short memory at first: the average of what there is.
        var decay = Math.Min(_options.Averaging, painter.Optimizer.Steps / (painter.Optimizer.Steps + 9.0));
        _average!.mul_(Held(decay)).add_(painter.Arena.Values, alpha: Held(1 - decay));
    }

    /// <inheritdoc/>
    public override void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (_painter is null) return;
        state.Values["gan.image"] = new JsonArray([.. _image.Select(size => (JsonNode)size)]);
        state.Values["gan.classes"] = _painter.Module.Classes;
        state.Values["gan.seen"] = new JsonArray([.. _seen.Select(id => (JsonNode)id)]);
        state.Values["gan.replayable"] = new JsonArray([.. _replayable.Select(id => (JsonNode)id)]);
        _painter.Save(state, "gan.painter");
        _critic!.Save(state, "gan.critic");
        foreach (var (name, norm) in _critic.Module.Norms) state.Tensors[$"gan.norm.{name}"] = norm.Left;
        state.Tensors["gan.average"] = _average!;
        if (_before is not null) state.Tensors["gan.before"] = _before;
    }

    /// <inheritdoc/>
    public override void Load(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.Values["gan.image"] is not JsonArray image) return;
        long[] shape = [.. image.Select(size => (long)size!)];
        if (!IsImage(shape) || state.InputShape?.SequenceEqual(shape) == false)
            throw new FormatException($"gan.image: [{string.Join(", ", shape)}], expected the shape of the samples learnt, with sides that 4 divides");
        var classes = state.ClassCount("gan.classes");
        state.Require("gan.painter.values", GanPainter.Numbers(shape, classes, _options));
        Build(shape, classes);
        _seen.UnionWith(state.ClassIds("gan.seen", classes));
        _replayable = state.ClassIds("gan.replayable", classes);
        if (_seen.Count == 0) throw new FormatException("gan.seen: empty, expected the classes learnt");
        _painter!.Load(state, "gan.painter");
        _critic!.Load(state, "gan.critic");
        foreach (var (name, norm) in _critic.Module.Norms) norm.Restore(Taken(state, $"gan.norm.{name}", norm.Left.size(0)));
        _average!.Dispose();
        _average = Taken(state, "gan.average", _painter.Arena.Length);
        _before = state.Tensors.ContainsKey("gan.before") ? Taken(state, "gan.before", _painter.Arena.Length) : null;
        if (_before is not null && _replayable.Length == 0) throw new FormatException("gan.replayable: empty, expected the classes of gan.before");
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Forget();
        _average?.Dispose();
        _painter?.Dispose();
        _critic?.Dispose();
        (_average, _painter, _critic) = (null, null, null);
    }

    private Tensor Paint(Tensor classes) =>
        _painter!.Module.Paint(randn(classes.size(0), _options.LatentSize), classes);

    private void Grow(int added)
    {
        if (added <= 0) return;
        _painter!.Module.Grow(added);
        var change = _painter.Relayout();
        _critic!.Module.Grow(added);
        _critic.Relayout();
        _average = change.Carry(_average!, _painter.Arena.Values); // new classes begin where the painter has them
        if (_before is not null) _before = change.Carry(_before, _painter.Arena.Values);
    }

    // Two strides of two lead from a quarter of each side to the whole.
    private static bool IsImage(IReadOnlyList<long> shape) => shape is [> 0, > 0, > 0] && shape[1] % 4 == 0 && shape[2] % 4 == 0;

    private static Tensor Taken(MechanismState state, string name, long length)
    {
        if (!state.Tensors.TryGetValue(name, out var saved) || !saved.shape.SequenceEqual([length]))
            throw new FormatException($"{name}: missing or of another size, expected {length} numbers");
        return state.Take(name)!;
    }

    private void Build(long[] image, int classes)
    {
        Dispose();
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _image = image;
        _painter = new SideNetwork<GanPainter>(new GanPainter(image, classes, _options), _options.Optimizer);
        _critic = new SideNetwork<GanCritic>(new GanCritic(image, classes, _options), _options.CriticOptimizer);
        _average = _painter.Arena.Values.clone().DetachFromDisposeScope();
    }
}
