using Engram.Data;
using Engram.Learning;
using Engram.Retention;

namespace Engram.Memory;

/// <summary>What a buffer holds equal shares of.</summary>
public enum BalanceBy
{
    /// <summary>Nothing: every sample of the stream is equally likely to be kept (reservoir sampling).</summary>
    Sample,

    /// <summary>Classes, as far as enough samples of each came by.</summary>
    Class,

    /// <summary>Experiences.</summary>
    Experience,
}

/// <summary>A bounded memory of samples that owns its bytes, filled from a stream of unknown length.</summary>
/// <remarks>
/// Class-balancing reservoir sampling (Chrysakis and Moens 2020, "Online Continual Learning from Imbalanced Data",
/// algorithm 1), where the groups to balance are classes, experiences, or one group for all, which is plain reservoir
/// sampling (Vitter 1985, algorithm R).
/// </remarks>
public sealed class ReplayBuffer : IDisposable
{
    private readonly BalanceBy _balance;
    private readonly SeededRandom _random;
    private readonly List<List<int>> _slotsOf = [];
    private readonly List<long> _seenOf = [];
    private readonly List<bool> _wasFull = [];
    private readonly int[] _groupAt;
    private readonly int[] _placeAt;
    private Tensor? _raw;
    private Tensor? _targets;
    private Tensor? _tasks;

    /// <summary>Creates an empty buffer.</summary>
    /// <param name="capacity">Samples it may hold, 1 or more.</param>
    /// <param name="balance">What it holds equal shares of.</param>
    /// <param name="random">Decides what is kept and drawn.</param>
    public ReplayBuffer(int capacity, BalanceBy balance, SeededRandom random)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentNullException.ThrowIfNull(random);
        (Capacity, _balance, _random) = (capacity, balance, random);
        (_groupAt, _placeAt) = (new int[capacity], new int[capacity]);
    }

    /// <summary>Samples it may hold.</summary>
    public int Capacity { get; }

    /// <summary>Samples it holds.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the samples and targets held.</summary>
    public long Bytes => Count == 0 ? 0 : Count * (RowBytes(_raw) + RowBytes(_targets) + RowBytes(_tasks));

    /// <summary>How many samples of each group are held (classes or experiences by id).</summary>
    public IReadOnlyList<int> GroupSizes => [.. _slotsOf.Select(slots => slots.Count)];

    /// <summary>Offers samples in stream order; which are kept is decided one by one.</summary>
    /// <param name="part">The samples.</param>
    /// <param name="experience">Index of the experience they come from.</param>
    public void Offer(BatchPart part, int experience)
    {
        ArgumentNullException.ThrowIfNull(part);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var classes = _balance == BalanceBy.Class ? part.Targets.data<long>().ToArray() : null;
        var rowAt = new Dictionary<int, long>();
        for (var row = 0; row < part.Count; row++)
        {
            var group = classes is not null ? (int)classes[row] : _balance == BalanceBy.Experience ? experience : 0;
            if (Place(group) is { } slot) rowAt[slot] = row; // a later sample may overwrite an earlier one
        }
        if (rowAt.Count == 0) return;
        Reserve(part);
        var slots = tensor(rowAt.Keys.Select(slot => (long)slot).ToArray());
        var rows = tensor(rowAt.Values.ToArray());
        _raw!.index_copy_(0, slots, part.Raw.index_select(0, rows));
        _targets!.index_copy_(0, slots, part.Targets.index_select(0, rows));
        if (part.Tasks is not null) _tasks!.index_copy_(0, slots, part.Tasks.index_select(0, rows));
    }

    /// <summary>Draws samples without repeats, uniformly.</summary>
    /// <param name="count">How many; all there are if there are fewer.</param>
    /// <returns>Slots of the samples.</returns>
    public long[] Draw(int count)
    {
        // Floyd's algorithm: distinct numbers in time of the draw, not of the buffer.
        count = Math.Min(count, Count);
        var chosen = new HashSet<long>(count);
        for (var bound = Count - count; bound < Count; bound++)
        {
            long pick = _random.Next(bound + 1);
            if (!chosen.Add(pick)) chosen.Add(bound);
        }
        return [.. chosen];
    }

    /// <summary>Fetches samples by slot, ready for the model.</summary>
    /// <param name="context">The learner's context.</param>
    /// <param name="slots">As given by <see cref="Draw"/>.</param>
    public BatchPart Read(LearningContext context, long[] slots)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var index = tensor(slots);
        var targets = _targets!.index_select(0, index);
        return context.Targets.Part(_raw!.index_select(0, index), targets, _tasks?.index_select(0, index));
    }

    /// <summary>Names all state under a prefix.</summary>
    /// <param name="state">Receives it.</param>
    public void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Values["random"] = new System.Text.Json.Nodes.JsonArray([.. _random.State.Select(word => (System.Text.Json.Nodes.JsonNode)word)]);
        state.Values["seen"] = new System.Text.Json.Nodes.JsonArray([.. _seenOf.Select(seen => (System.Text.Json.Nodes.JsonNode)seen)]);
        state.Values["wasFull"] = new System.Text.Json.Nodes.JsonArray([.. _wasFull.Select(full => (System.Text.Json.Nodes.JsonNode)full)]);
        if (Count == 0) return;
        state.Tensors["groups"] = tensor(Array.ConvertAll(_groupAt[..Count], group => (long)group));
        state.Tensors["places"] = tensor(Array.ConvertAll(_placeAt[..Count], place => (long)place));
        state.Tensors["raw"] = _raw!.narrow(0, 0, Count);
        state.Tensors["targets"] = _targets!.narrow(0, 0, Count);
        if (_tasks is not null) state.Tensors["tasks"] = _tasks.narrow(0, 0, Count);
    }

    /// <summary>Puts saved state back into an empty buffer.</summary>
    /// <param name="state">What <see cref="Save"/> named.</param>
    public void Load(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        using var scope = NewDisposeScope();
        _random.State = [.. state.Values["random"]!.AsArray().Select(word => (ulong)word!)];
        _seenOf.AddRange(state.Values["seen"]!.AsArray().Select(seen => (long)seen!));
        _wasFull.AddRange(state.Values["wasFull"]!.AsArray().Select(full => (bool)full!));
        _slotsOf.AddRange(_seenOf.Select(_ => new List<int>()));
        if (!state.Tensors.TryGetValue("raw", out var raw)) return;
        if (raw.shape[0] > Capacity)
            throw new FormatException($"raw: {raw.shape[0]} samples, expected at most the capacity of {Capacity}");
        Count = (int)raw.shape[0];
        var groups = state.Tensors["groups"].data<long>().ToArray();
        var places = state.Tensors["places"].data<long>().ToArray();
        foreach (var slot in Enumerable.Range(0, Count).OrderBy(slot => places[slot]))
        {
            var slots = _slotsOf[(int)groups[slot]];
            (_groupAt[slot], _placeAt[slot]) = ((int)groups[slot], slots.Count);
            slots.Add(slot);
        }
        _raw = Grown(raw);
        _targets = Grown(state.Tensors["targets"]);
        _tasks = state.Tensors.TryGetValue("tasks", out var tasks) ? Grown(tasks) : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _raw?.Dispose();
        _targets?.Dispose();
        _tasks?.Dispose();
    }

    // Algorithm 1 of Chrysakis and Moens: the slot for the next sample of a group, or null to let it pass.
    private int? Place(int group)
    {
        while (_slotsOf.Count <= group)
        {
            _slotsOf.Add([]);
            _seenOf.Add(0);
            _wasFull.Add(false);
        }
        _seenOf[group]++;
        if (Count < Capacity) return Put(Count++, group);

        var largest = _slotsOf.Max(slots => slots.Count);
        for (var g = 0; g < _slotsOf.Count; g++)
            if (_slotsOf[g].Count == largest) _wasFull[g] = true;
        if (!_wasFull[group])
        {
            Span<int> full = [.. Enumerable.Range(0, _slotsOf.Count).Where(g => _slotsOf[g].Count == largest)];
            var slots = _slotsOf[full[_random.Next(full.Length)]];
            return Put(Evict(slots[_random.Next(slots.Count)]), group);
        }
        var own = _slotsOf[group];
        return _random.NextDouble() * _seenOf[group] <= own.Count ? own[_random.Next(own.Count)] : null;
    }

    private int Put(int slot, int group)
    {
        (_groupAt[slot], _placeAt[slot]) = (group, _slotsOf[group].Count);
        _slotsOf[group].Add(slot);
        return slot;
    }

    private int Evict(int slot)
    {
        var slots = _slotsOf[_groupAt[slot]];
        var last = slots[^1];
        slots[_placeAt[slot]] = last;
        _placeAt[last] = _placeAt[slot];
        slots.RemoveAt(slots.Count - 1);
        return slot;
    }

    private void Reserve(BatchPart part)
    {
        _raw ??= Empty(part.Raw);
        _targets ??= Empty(part.Targets);
        if (part.Tasks is not null) _tasks ??= Empty(part.Tasks);
        if (part.Targets.dim() == 2 && part.Targets.shape[1] > _targets.shape[1])
        {
            // More outputs than before: they are unknown for the samples kept.
            var wider = full(Capacity, part.Targets.shape[1], float.NaN);
            wider.narrow(1, 0, _targets.shape[1]).copy_(_targets);
            _targets.Dispose();
            _targets = wider.DetachFromDisposeScope();
        }
    }

    private Tensor Empty(Tensor like) => zeros([Capacity, .. like.shape[1..]], like.dtype).DetachFromDisposeScope();

    private Tensor Grown(Tensor rows)
    {
        var grown = Empty(rows);
        grown.narrow(0, 0, rows.shape[0]).copy_(rows);
        return grown;
    }

    private static long RowBytes(Tensor? rows) => rows is null ? 0 : rows.numel() / rows.shape[0] * rows.element_size();
}
