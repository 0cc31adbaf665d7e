using System.Text.Json.Nodes;
using Engram.Data;
using Engram.Learning;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Memory;

/// <summary>How many exemplars a memory keeps, and how they are chosen.</summary>
public record ExemplarOptions
{
    /// <summary>K: exemplars in all, shared equally by the classes known; each class keeps at least one.</summary>
    /// <value>Default 1,000; 1 or more.</value>
    public int Capacity { get; init; } = 1000;

    /// <summary>Exemplars of every class, however many classes come, instead of sharing <see cref="Capacity"/>.</summary>
    /// <value>Default null; 1 or more.</value>
    public int? PerClass { get; init; }

    /// <summary>Exemplars of each class when so many classes are known: m = K / t in Rebuffi et al. 2017, algorithm 2.</summary>
    /// <param name="classes">t, 1 or more.</param>
    public int Share(int classes) => PerClass ?? Math.Max(1, Capacity / classes);

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Names the option, its value and what was expected.</exception>
    internal virtual void Validate()
    {
        if (Capacity < 1) throw new ArgumentException($"Capacity: {Capacity}, expected 1 or more");
        if (PerClass < 1) throw new ArgumentException($"PerClass: {PerClass}, expected 1 or more");
    }
}

/// <summary>
/// Exemplars of each class, most representative first, so that to keep fewer is to keep the first ones (Rebuffi et al.
/// 2017, algorithm 5). It owns its samples, as stored: bytes stay bytes.
/// </summary>
public sealed class ExemplarSet : IDisposable
{
    private readonly List<(int ClassId, int Start, int Count)> _classes = [];
    private Tensor? _raw; // [Count, ...], class after class

    /// <summary>Exemplars held.</summary>
    public int Count => (int)(_raw?.size(0) ?? 0);

    /// <summary>Bytes of the samples held.</summary>
    public long Bytes => _raw is null ? 0 : _raw.numel() * _raw.element_size();

    /// <summary>The classes that have exemplars, and how many.</summary>
    public IReadOnlyList<(int ClassId, int Count)> Classes => [.. _classes.Select(c => (c.ClassId, c.Count))];

    /// <summary>Keeps the first exemplars of every class, and those of some classes in place of what they had.</summary>
    /// <param name="perClass">m: exemplars to keep of each class held.</param>
    /// <param name="fresh">New exemplars <c>[n, ...]</c> by class id, in order; copied.</param>
    public void Update(int perClass, IReadOnlyDictionary<int, Tensor> fresh)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(perClass);
        ArgumentNullException.ThrowIfNull(fresh);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var pieces = new SortedDictionary<int, Tensor>();
        foreach (var (id, start, count) in _classes) pieces[id] = _raw!.narrow(0, start, Math.Min(perClass, count));
        foreach (var (id, rows) in fresh) pieces[id] = rows.narrow(0, 0, Math.Min(perClass, rows.size(0)));
        var kept = pieces.Where(piece => piece.Value.size(0) > 0).ToArray();
        var raw = kept.Length == 0 ? null : cat([.. kept.Select(piece => piece.Value)]).DetachFromDisposeScope();
        _raw?.Dispose();
        _raw = raw;
        _classes.Clear();
        var next = 0;
        foreach (var (id, rows) in kept)
        {
            _classes.Add((id, next, (int)rows.size(0)));
            next += (int)rows.size(0);
        }
    }

    /// <summary>Chooses exemplars by herding in the present feature space (algorithm 4), from what was trained on.</summary>
    /// <param name="context">The learner's context; the model is in evaluation mode.</param>
    /// <param name="perClass">m: exemplars of each class.</param>
    /// <returns>Samples as stored by class id, in the caller's scope.</returns>
    public static IReadOnlyDictionary<int, Tensor> Herd(LearningContext context, int perClass)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var chosen = new Dictionary<int, Tensor>();
        foreach (var (id, rows) in RowsByClass(context.Source, context.Classes))
        {
            if (!context.ClassIds.Contains(id)) continue;
            using var inner = NewDisposeScope();
            var features = cat([.. rows.Chunk(512).Select(chunk => Features(context, context.Fetch(chunk).Inputs))]);
            var picks = ExemplarSelection.Herding(features, perClass);
            chosen[id] = context.Source.Gather([.. picks.Select(pick => rows[pick])]).Inputs.MoveToOuterDisposeScope();
        }
        foreach (var raw in chosen.Values) raw.MoveToOuterDisposeScope();
        return chosen;
    }

    /// <summary>The rows of each class in a source.</summary>
    internal static SortedDictionary<int, long[]> RowsByClass(ISampleSource source, ClassRegistry classes)
    {
        var rows = new SortedDictionary<int, long[]>();
        var codes = source.Codes;
        foreach (var group in Enumerable.Range(0, source.Count).GroupBy(row => codes.Span[row]))
            rows[classes.IdOf(source.Labels[group.Key])] = [.. group.Select(row => (long)row)];
        return rows;
    }

    /// <summary>The exemplars in chunks, ready for the model; order as held.</summary>
    /// <param name="context">The learner's context.</param>
    /// <param name="start">First exemplar.</param>
    /// <param name="count">How many.</param>
    public BatchPart Read(LearningContext context, int start, int count)
    {
        ArgumentNullException.ThrowIfNull(context);
        var ids = _classes.SelectMany(c => Enumerable.Repeat((long)c.ClassId, c.Count)).Skip(start).Take(count).ToArray();
        return context.Targets.Part(_raw!.narrow(0, start, ids.Length), tensor(ids), null);
    }

    /// <summary>New samples with the exemplars of earlier classes: the training set of algorithm 3.</summary>
    /// <param name="samples">The new samples.</param>
    /// <param name="classes">The labels of the class ids.</param>
    public ISampleSource Join(ISampleSource samples, ClassRegistry classes)
    {
        ArgumentNullException.ThrowIfNull(classes);
        if (_raw is null) return samples;
        int[] codes = [.. _classes.SelectMany((c, code) => Enumerable.Repeat(code, c.Count))];
        return new ConcatSource(
            samples, TensorSource.OfClasses(_raw, codes, [.. _classes.Select(c => classes.LabelOf(c.ClassId))]));
    }

    /// <summary>Names all state under a prefix.</summary>
    /// <param name="state">Receives it.</param>
    /// <param name="prefix">Its name.</param>
    public void Save(MechanismState state, string prefix)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (_raw is null) return;
        state.Tensors[$"{prefix}.raw"] = _raw;
        state.Values[$"{prefix}.classes"] = new JsonArray([.. _classes.Select(c => (JsonNode)c.ClassId)]);
        state.Values[$"{prefix}.counts"] = new JsonArray([.. _classes.Select(c => (JsonNode)c.Count)]);
    }

    /// <summary>Puts saved state back.</summary>
    /// <param name="state">What <see cref="Save"/> named.</param>
    /// <param name="prefix">Its name.</param>
    /// <param name="classes">Classes known.</param>
    /// <exception cref="FormatException">The exemplars are of other classes, or of other numbers than is said.</exception>
    public void Load(MechanismState state, string prefix, int classes)
    {
        ArgumentNullException.ThrowIfNull(state);
        Dispose();
        _raw = state.Take($"{prefix}.raw");
        _classes.Clear();
        if (_raw is null) return;
        var (next, ids, counts) = (0L, state.Values.List<int>($"{prefix}.classes"), state.Values.List<int>($"{prefix}.counts"));
        if (ids.Length != counts.Length) throw new FormatException($"{prefix}.counts: {counts.Length} values, expected {ids.Length}");
        foreach (var (id, count) in ids.Zip(counts))
        {
            if (id < 0 || id >= classes || (_classes.Count > 0 && id <= _classes[^1].ClassId))
                throw new FormatException($"{prefix}.classes: {id}, expected rising ids of {classes} classes");
            if (count < 1 || next + count > Count) throw new FormatException($"{prefix}.counts: {count}, expected 1 or more and {Count} in all");
            _classes.Add((id, (int)next, count));
            next += count;
        }
        if (next != Count) throw new FormatException($"{prefix}.raw: {Count} exemplars, expected {next}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _raw?.Dispose();
        _raw = null;
    }

    private static Tensor Features(LearningContext context, Tensor inputs)
    {
        using var scope = NewDisposeScope();
        return context.Model.Backbone.forward(inputs).MoveToOuterDisposeScope();
    }
}
