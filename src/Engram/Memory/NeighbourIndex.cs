using Engram.Retention;

namespace Engram.Memory;

/// <summary>Vectors with labels, searched exactly for the nearest: one matrix product per block, then the k best.</summary>
/// <remarks>
/// Distances are in float64, and those of the 2k best are computed again from differences: a large offset or large values change no rank.
/// Adding and removing cost O(width) each, whatever is held, and finding a label's slots costs no more than sorting them. A search of n queries reads all m
/// vectors, O(n m width) at the speed of BLAS, and labels and differences of the 2k places found alone. Removing moves the last vector into
/// the gap, so slots of others may change. Room is taken in doublings while vectors are added.
/// </remarks>
public sealed class NeighbourIndex : IDisposable
{
    private const int Block = 4096;
    private const int FirstRows = 256;
    private const long DifferencesAtOnce = 1 << 22;

    private readonly int _width;
    private SlotGroups _groups = new(); // by label
    private Tensor _vectors;
    private Tensor _labels;

    /// <summary>Creates an empty index.</summary>
    /// <param name="width">Numbers per vector.</param>
    public NeighbourIndex(int width)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        _width = width;
        _vectors = zeros(0, width).DetachFromDisposeScope();
        _labels = zeros(0, ScalarType.Int64).DetachFromDisposeScope();
    }

    /// <summary>Vectors held.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes taken for vectors and labels, with the room for more, and for the places by which a label's slots are found.</summary>
    public long Bytes => (_vectors.size(0) * (4L * _width + 8)) + ((long)SlotGroups.BytesPerSlot * Count);

    /// <summary>Adds vectors at the end.</summary>
    /// <param name="vectors">float32 <c>[n, width]</c>.</param>
    /// <param name="labels">int64 <c>[n]</c>.</param>
    public void Add(Tensor vectors, Tensor labels)
    {
        ArgumentNullException.ThrowIfNull(vectors);
        ArgumentNullException.ThrowIfNull(labels);
        if (vectors.dim() != 2 || vectors.size(1) != _width || labels.dim() != 1 || labels.size(0) != vectors.size(0))
            throw new ArgumentException(
                $"vectors: [{string.Join(", ", vectors.shape)}] with labels [{string.Join(", ", labels.shape)}], expected [n, {_width}] and [n]");
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var added = (int)vectors.size(0);
        if (Count + added > _vectors.size(0))
        {
            long rows = Math.Max(FirstRows, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(Count + added)));
            Replace(Room(_vectors, [rows, _width]), Room(_labels, [rows]));
        }
        _vectors.narrow(0, Count, added).copy_(vectors);
        _labels.narrow(0, Count, added).copy_(labels);
        foreach (var label in _labels.narrow(0, Count, added).data<long>()) _groups.Add(Count++, _groups.Group(label));
    }

    /// <summary>Removes one vector; the last one takes its slot.</summary>
    /// <param name="slot">0 to <see cref="Count"/> − 1.</param>
    public void Remove(int slot)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slot);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(slot, Count);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        Count--;
        _groups.Remove(slot);
        if (slot == Count) return;
        var moved = _groups.Remove(Count);
        _groups.Add(slot, moved);
        _vectors[slot].copy_(_vectors[Count]);
        _labels[slot].copy_(_labels[Count]);
    }

    /// <summary>The slots of one label, ascending.</summary>
    /// <param name="label">The label.</param>
    public int[] SlotsOf(long label) => _groups.Find(label) is >= 0 and var group ? [.. _groups.SlotsOf(group).Order()] : [];

    /// <summary>The labels held, ascending, and how often.</summary>
    internal IEnumerable<(long Label, int Count)> Labels() => Enumerable.Range(0, _groups.Count)
        .Select(group => (_groups.KeyOf(group), _groups.SlotsOf(group).Count)).Where(own => own.Count > 0).OrderBy(own => own.Item1);

    /// <summary>The nearest vectors of each query.</summary>
    /// <param name="queries">float32 <c>[n, width]</c>.</param>
    /// <param name="k">How many; all there are if there are fewer.</param>
    /// <returns>Squared distances, float64, ascending, and labels, <c>[n, k]</c> each.</returns>
    public (Tensor Distances, Tensor Labels) Nearest(Tensor queries, int k)
    {
        ArgumentNullException.ThrowIfNull(queries);
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        if (Count == 0) throw new InvalidOperationException("index: empty, expected vectors to be added first");
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var exact = queries.to(ScalarType.Float64);
        var candidates = Math.Min(2L * k, Count);
        var (distances, slots) = (new List<Tensor>(), new List<Tensor>());
        var own = exact.pow(Held(2)).sum([1]).unsqueeze(1);
        for (var start = 0; start < Count; start += Block)
        {
            using var inner = NewDisposeScope();
            // ‖q − v‖² = ‖q‖² − 2 q·v + ‖v‖²
            var part = _vectors.narrow(0, start, Math.Min(Block, Count - start)).to(ScalarType.Float64);
            var all = exact.mm(part.t()).mul_(Held(-2)).add_(own, alpha: Held(1)).add_(part.pow(Held(2)).sum([1]), alpha: Held(1));
            var (best, where) = all.topk((int)Math.Min(candidates, part.size(0)), dim: 1, largest: false);
            distances.Add(best.MoveToOuterDisposeScope());
            slots.Add(where.add_(Held((long)start), alpha: Held(1)).MoveToOuterDisposeScope());
        }
        var (_, places) = cat(distances, 1).topk((int)candidates, dim: 1, largest: false);
        var found = cat(slots, 1).gather(1, places);
        var (nearest, at) = ByDifferences(exact, found).topk(Math.Min(k, Count), dim: 1, largest: false);
        var labels = _labels.index_select(0, found.gather(1, at).flatten()).view(at.shape);
        return (nearest.MoveToOuterDisposeScope(), labels.MoveToOuterDisposeScope());
    }

    // ‖q − v‖² without the cancellation of the products, [n, candidates]; few queries at a time, for the memory.
    private Tensor ByDifferences(Tensor queries, Tensor slots)
    {
        var rows = Math.Max(1, DifferencesAtOnce / (slots.size(1) * _width));
        var parts = new List<Tensor>();
        for (var start = 0L; start < queries.size(0); start += rows)
        {
            using var inner = NewDisposeScope();
            var count = Math.Min(rows, queries.size(0) - start);
            var near = _vectors.index_select(0, slots.narrow(0, start, count).flatten()).to(ScalarType.Float64).view(count, -1, _width);
            parts.Add(near.sub_(queries.narrow(0, start, count).unsqueeze(1)).pow(Held(2)).sum([2L]).MoveToOuterDisposeScope());
        }
        return cat(parts);
    }

    /// <summary>Names vectors and labels, to save them.</summary>
    /// <param name="state">Receives them.</param>
    public void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Tensors["vectors"] = _vectors.narrow(0, 0, Count);
        state.Tensors["labels"] = _labels.narrow(0, 0, Count);
    }

    /// <summary>Puts saved vectors and labels in place of those held.</summary>
    /// <param name="state">What <see cref="Save"/> named.</param>
    public void Load(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        (_groups, Count) = (new(), 0);
        Add(state.Tensors["vectors"], state.Tensors["labels"]);
        TrimExcess();
    }

    /// <summary>Gives back the room for more; adding takes it again.</summary>
    public void TrimExcess()
    {
        if (_vectors.size(0) == Count) return;
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        Replace(Room(_vectors, [Count, _width]), Room(_labels, [Count]));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _vectors.Dispose();
        _labels.Dispose();
    }

    private Tensor Room(Tensor old, long[] shape)
    {
        var room = zeros(shape, old.dtype);
        room.narrow(0, 0, Count).copy_(old.narrow(0, 0, Count));
        return room.DetachFromDisposeScope();
    }

    private void Replace(Tensor vectors, Tensor labels)
    {
        Dispose();
        (_vectors, _labels) = (vectors, labels);
    }
}
