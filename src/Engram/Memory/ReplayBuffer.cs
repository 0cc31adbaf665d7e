using System.Text.Json.Nodes;
using Engram.Data;
using Engram.Learning;
using Engram.Persistence;
using Engram.Retention;

namespace Engram.Memory;

/// <summary>What a buffer holds, or draws, equal shares of.</summary>
public enum BalanceBy
{
    /// <summary>Nothing: every sample of the stream is equally likely (reservoir sampling).</summary>
    Sample,

    /// <summary>Classes, as far as enough samples of each came by; plain sampling where targets are no classes.</summary>
    Class,

    /// <summary>Experiences.</summary>
    Experience,
}

/// <summary>A bounded memory of samples that owns its bytes, filled from a stream of unknown length.</summary>
/// <remarks>
/// Class-balancing reservoir sampling (Chrysakis and Moens 2020, "Online Continual Learning from Imbalanced Data",
/// algorithm 1), where the groups to balance are classes, experiences, or one group for all, which is plain reservoir
/// sampling (Vitter 1985, algorithm R). Offering a sample costs O(1), drawing costs O(samples drawn + classes); memory is
/// taken as it fills, in doublings.
/// </remarks>
public sealed class ReplayBuffer : IDisposable
{
    private const int Chunk = 1024;

    private readonly BalanceBy _balance;
    private readonly int? _perGroup;
    private readonly SeededRandom _random;
    private readonly SampleStore _store;
    private readonly SlotGroups _groups = new();
    private readonly SlotGroups _classes;
    private readonly List<long> _seenOf = [];
    private readonly List<bool> _wasFull = [];
    private int _fullSize = -1;
    private int? _offered; // samples of the experience at hand; null but while they are offered

    /// <summary>Creates an empty buffer.</summary>
    /// <param name="capacity">Samples it may hold, 1 or more.</param>
    /// <param name="balance">What it holds equal shares of.</param>
    /// <param name="random">Decides what is kept and drawn.</param>
    /// <param name="perGroup">Most samples of each group, even while there is room for more; null means no such bound.</param>
    public ReplayBuffer(int capacity, BalanceBy balance, SeededRandom random, int? perGroup = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        if (perGroup is { } bound) ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1, nameof(perGroup));
        ArgumentNullException.ThrowIfNull(random);
        (Capacity, _balance, _random, _perGroup) = (capacity, balance, random, perGroup);
        _store = new SampleStore(capacity);
        _classes = balance == BalanceBy.Class ? _groups : new SlotGroups();
    }

    /// <summary>Samples it may hold.</summary>
    public int Capacity { get; }

    /// <summary>Samples it holds.</summary>
    public int Count { get; private set; }

    /// <summary>Whether <see cref="OfferAll"/> was interrupted.</summary>
    internal bool IsHalfOffered => _offered is not null;

    /// <summary>Bytes of memory taken for samples, targets and extra columns.</summary>
    public long Bytes => _store.Bytes;

    /// <summary>How many samples of each group are held, by class id or experience index; 0 for ids never seen.</summary>
    public IReadOnlyList<int> GroupSizes => Sizes(_groups);

    /// <summary>How many samples of each class are held, by class id.</summary>
    public IReadOnlyList<int> ClassSizes => Sizes(_classes);

    /// <summary>Offers samples in stream order; which are kept is decided one by one.</summary>
    /// <param name="part">The samples.</param>
    /// <param name="experience">Index of the experience they come from.</param>
    /// <param name="extras">Further columns, float32 <c>[n, width]</c> each; the same names every time.</param>
    public void Offer(BatchPart part, int experience, IReadOnlyDictionary<string, Tensor>? extras = null)
    {
        ArgumentNullException.ThrowIfNull(part);
        var classes = ClassesOf(part);
        var rowAt = new Dictionary<int, long>(part.Count);
        for (var row = 0; row < part.Count; row++)
            if (Place(GroupKey(classes, row, experience), classes?[row] ?? 0) is { } slot)
                rowAt[slot] = row; // a later sample may overwrite an earlier one
        if (rowAt.Count == 0) return;
        _store.Write([.. rowAt.Keys.Select(slot => (long)slot)], [.. rowAt.Values], part, extras, Count);
    }

    /// <summary>
    /// Offers the samples of the experience just learnt. Where reading them fails, the next call goes on with those that are left.
    /// </summary>
    /// <param name="context">The experience.</param>
    /// <param name="order">All of its samples, the same in every call.</param>
    /// <param name="coded">What is kept of the samples; by default themselves.</param>
    internal void OfferAll(LearningContext context, IEnumerable<int> order, Func<BatchPart, BatchPart>? coded = null)
    {
        _offered ??= 0;
        foreach (var chunk in order.Skip(_offered.Value).Chunk(Chunk))
        {
            using var scope = NewDisposeScope();
            var part = context.Fetch(Array.ConvertAll(chunk, index => (long)index));
            Offer(coded?.Invoke(part) ?? part, context.Experience.Index);
            _offered += chunk.Length;
        }
        _offered = null;
    }

    /// <summary>Keeps one sample for certain, at the end or in place of another: for rules of selection of one's own.</summary>
    /// <param name="part">Where the sample is.</param>
    /// <param name="row">Its row there.</param>
    /// <param name="experience">Index of the experience it comes from.</param>
    /// <param name="slot">The sample to replace; null adds one while there is room.</param>
    public void Keep(BatchPart part, int row, int experience, int? slot = null)
    {
        ArgumentNullException.ThrowIfNull(part);
        if (slot is null && Count == Capacity)
            throw new InvalidOperationException($"slot: none, expected 0 to {Count - 1} since all {Capacity} are taken");
        if (slot is { } taken) ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(taken, Count, nameof(slot));
        var classes = ClassesOf(part);
        if (slot is { } old) TakeOut(old);
        var group = Known(GroupKey(classes, row, experience));
        _seenOf[group]++;
        PutIn(slot ?? Count++, group, classes?[row] ?? 0);
        _store.Write([slot ?? Count - 1], [row], part, null, Count);
    }

    /// <summary>Empties the buffer; which groups were seen, and how often, stays known.</summary>
    public void Clear()
    {
        _groups.Clear();
        if (_classes != _groups) _classes.Clear();
        (Count, _fullSize) = (0, -1);
    }

    /// <summary>Draws samples without repeats.</summary>
    /// <param name="count">How many; all there are if there are fewer.</param>
    /// <param name="balance">
    /// <see cref="BalanceBy.Sample"/> draws uniformly, <see cref="BalanceBy.Class"/> equal shares of every class as far as
    /// there are enough.
    /// </param>
    /// <returns>Slots of the samples.</returns>
    public long[] Draw(int count, BalanceBy balance = BalanceBy.Sample)
    {
        count = Math.Min(count, Count);
        if (balance == BalanceBy.Sample)
            return [.. Distinct(count, Count).Select(slot => (long)slot)];
        if (balance == BalanceBy.Experience && _balance != BalanceBy.Experience)
            throw new ArgumentException("balance: Experience, expected Sample or Class in a buffer not balanced by experience", nameof(balance));
        var groups = balance == BalanceBy.Class ? _classes : _groups;
        var drawn = new List<long>(count);
        foreach (var (group, share) in Shares(groups, count))
            drawn.AddRange(Distinct(share, groups.SlotsOf(group).Count).Select(place => (long)groups.SlotsOf(group)[place]));
        return [.. drawn];
    }

    /// <summary>The slots of one class, in the order they were added if none was ever replaced.</summary>
    /// <param name="classId">The class.</param>
    public long[] SlotsOfClass(int classId) =>
        _classes.Find(classId) is >= 0 and var group ? [.. _classes.SlotsOf(group).Select(slot => (long)slot)] : [];

    /// <summary>Fetches samples by slot, ready for the model.</summary>
    /// <param name="context">The learner's context.</param>
    /// <param name="slots">As given by <see cref="Draw"/>.</param>
    public BatchPart Read(LearningContext context, long[] slots)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(slots);
        return _store.Read(context, slots);
    }

    /// <summary>Fetches samples by slot as they were stored, for memories that keep something else than inputs.</summary>
    internal (Tensor Raw, Tensor Targets, Tensor? Tasks) ReadStored(long[] slots) => _store.ReadStored(slots);

    /// <summary>Fetches an extra column by slot, float32 <c>[n, width]</c>; NaN where a row was stored narrower.</summary>
    /// <param name="name">As given to <see cref="Offer"/>.</param>
    /// <param name="slots">As given by <see cref="Draw"/>.</param>
    public Tensor ReadExtra(string name, long[] slots) => _store.ReadExtra(name, slots);

    /// <summary>Names all state.</summary>
    /// <param name="state">Receives it.</param>
    public void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Values["random"] = new JsonArray([.. _random.State.Select(word => (JsonNode)word)]);
        state.Values["seen"] = new JsonArray([.. _seenOf.Select(seen => (JsonNode)seen)]);
        state.Values["wasFull"] = new JsonArray([.. _wasFull.Select(full => (JsonNode)full)]);
        state.Values["fullSize"] = _fullSize;
        if (_offered is not null) state.Values["offered"] = _offered;
        _groups.Save(state, "groups");
        if (_classes != _groups) _classes.Save(state, "classes");
        if (Count > 0) _store.Save(state, Count);
    }

    /// <summary>Puts saved state back into an empty buffer.</summary>
    /// <param name="state">What <see cref="Save"/> named.</param>
    public void Load(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.Tensors.TryGetValue("raw", out var raw) && raw.size(0) > Capacity)
            throw new FormatException($"raw: {raw.size(0)} samples, expected at most the capacity of {Capacity}");
        _random.State = state.Values.List<ulong>("random");
        _seenOf.AddRange(state.Values.List<long>("seen"));
        _wasFull.AddRange(state.Values.List<bool>("wasFull"));
        _fullSize = state.Values.Value<int>("fullSize");
        _offered = state.Values["offered"] is null ? null : state.Values.Value<int>("offered");
        _groups.Load(state, "groups");
        if (_classes != _groups) _classes.Load(state, "classes");
        Count = raw is null ? 0 : (int)raw.size(0);
        if (Count > 0) _store.Load(state);
    }

    /// <inheritdoc/>
    public void Dispose() => _store.Dispose();

    // Algorithm 1 of Chrysakis and Moens: the slot for the next sample of a group, or null to let it pass.
    private int? Place(long key, long classId)
    {
        var group = Known(key);
        _seenOf[group]++;
        var atBound = _groups.SlotsOf(group).Count >= _perGroup;
        if (Count < Capacity && !atBound) return PutIn(Count++, group, classId);

        MarkLargest();
        if (atBound) _wasFull[group] = true;
        if (!_wasFull[group])
        {
            var largest = _groups.SlotsOf(_groups.Largest[_random.Next(_groups.Largest.Count)]);
            var slot = largest[_random.Next(largest.Count)];
            TakeOut(slot);
            return PutIn(slot, group, classId);
        }
        var own = _groups.SlotsOf(group);
        if (_random.NextDouble() * _seenOf[group] >= own.Count) return null;
        var replaced = own[_random.Next(own.Count)];
        if (_classes == _groups) return replaced;
        TakeOut(replaced);
        return PutIn(replaced, group, classId);
    }

    // A group that is or was the largest is full. Groups join the largest one at a time (by growing to their size, or by
    // losing a slot on the way down), so that only a change of size asks for a look at all of them.
    private void MarkLargest()
    {
        if (_fullSize == _groups.LargestSize) return;
        _fullSize = _groups.LargestSize;
        foreach (var group in _groups.Largest) _wasFull[group] = true;
    }

    private int PutIn(int slot, int group, long classId)
    {
        _groups.Add(slot, group);
        if (_classes != _groups) _classes.Add(slot, _classes.Group(classId));
        if (Count == Capacity && _groups.SlotsOf(group).Count == _fullSize) _wasFull[group] = true;
        return slot;
    }

    private void TakeOut(int slot)
    {
        _groups.Remove(slot);
        if (_classes != _groups) _classes.Remove(slot);
    }

    private int Known(long key)
    {
        var group = _groups.Group(key);
        if (group < _seenOf.Count) return group;
        _seenOf.Add(0);
        _wasFull.Add(false);
        return group;
    }

    private long GroupKey(long[]? classes, int row, int experience) => _balance switch
    {
        BalanceBy.Class => classes?[row] ?? 0,
        BalanceBy.Experience => experience,
        _ => 0,
    };

    private static long[]? ClassesOf(BatchPart part) =>
        part.Targets.dim() == 1 ? part.Targets.data<long>().ToArray() : null;

    // Equal shares; what a small group cannot give is shared among the others, the remainder by lot.
    private IEnumerable<(int Group, int Share)> Shares(SlotGroups groups, int count)
    {
        var waiting = Enumerable.Range(0, groups.Count).Where(group => groups.SlotsOf(group).Count > 0)
            .OrderBy(group => groups.SlotsOf(group).Count).ToList();
        var first = 0;
        for (; first < waiting.Count && groups.SlotsOf(waiting[first]).Count <= count / (waiting.Count - first); first++)
        {
            var size = groups.SlotsOf(waiting[first]).Count;
            count -= size;
            yield return (waiting[first], size);
        }
        var rest = waiting[first..];
        if (rest.Count == 0) yield break;
        var lucky = Distinct(count % rest.Count, rest.Count);
        for (var i = 0; i < rest.Count; i++)
            if ((count / rest.Count) + (lucky.Contains(i) ? 1 : 0) is > 0 and var share)
                yield return (rest[i], share);
    }

    // Floyd's algorithm: distinct numbers below a bound in time of the draw, not of the bound.
    private HashSet<int> Distinct(int count, int below)
    {
        var chosen = new HashSet<int>(count);
        for (var bound = below - count; bound < below; bound++)
            if (!chosen.Add(_random.Next(bound + 1)))
                chosen.Add(bound);
        return chosen;
    }

    private static int[] Sizes(SlotGroups groups)
    {
        var sizes = new int[groups.Count == 0 ? 0 : Enumerable.Range(0, groups.Count).Max(groups.KeyOf) + 1];
        for (var group = 0; group < groups.Count; group++) sizes[groups.KeyOf(group)] = groups.SlotsOf(group).Count;
        return sizes;
    }
}
