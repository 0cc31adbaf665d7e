using Engram.Retention;

namespace Engram.Memory;

/// <summary>Slots of a memory by group (class or experience), with the largest groups at hand; every operation is O(1) amortised.</summary>
internal sealed class SlotGroups
{
    /// <summary>Bytes that a slot takes here: its group, its place within it and its entry there.</summary>
    public const int BytesPerSlot = 3 * sizeof(int);

    private readonly Dictionary<long, int> _groupOf = [];
    private readonly List<long> _keys = [];
    private readonly List<List<int>> _slots = [];
    private readonly List<int> _groupAt = [];
    private readonly List<int> _placeAt = [];
    private readonly List<List<int>> _bySize = [[]]; // groups of each size
    private readonly List<int> _placeBySize = [];

    /// <summary>How many groups were ever seen.</summary>
    public int Count => _keys.Count;

    /// <summary>Slots of the largest group.</summary>
    public int LargestSize { get; private set; }

    /// <summary>The groups of <see cref="LargestSize"/>.</summary>
    public IReadOnlyList<int> Largest => _bySize[LargestSize];

    public long KeyOf(int group) => _keys[group];

    public IReadOnlyList<int> SlotsOf(int group) => _slots[group];

    /// <summary>The group of a key, −1 for one never seen.</summary>
    public int Find(long key) => _groupOf.GetValueOrDefault(key, -1);

    /// <summary>The group of a key, new and empty if it was never seen.</summary>
    public int Group(long key)
    {
        if (_groupOf.TryGetValue(key, out var group)) return group;
        group = _keys.Count;
        _groupOf[key] = group;
        _keys.Add(key);
        _slots.Add([]);
        _placeBySize.Add(_bySize[0].Count);
        _bySize[0].Add(group);
        return group;
    }

    /// <summary>Puts a slot into a group; slots are used in order: the next new one is the number of slots.</summary>
    public void Add(int slot, int group)
    {
        if (slot == _groupAt.Count)
        {
            _groupAt.Add(-1);
            _placeAt.Add(0);
        }
        (_groupAt[slot], _placeAt[slot]) = (group, _slots[group].Count);
        _slots[group].Add(slot);
        Resize(group, _slots[group].Count - 1, _slots[group].Count);
        LargestSize = Math.Max(LargestSize, _slots[group].Count);
    }

    /// <summary>Takes a slot out of its group.</summary>
    /// <returns>The group.</returns>
    public int Remove(int slot)
    {
        var group = _groupAt[slot];
        var slots = _slots[group];
        TakeOut(slots, _placeAt[slot], _placeAt);
        Resize(group, slots.Count + 1, slots.Count);
        while (LargestSize > 0 && _bySize[LargestSize].Count == 0) LargestSize--;
        return group;
    }

    /// <summary>Takes all slots out; the groups stay known.</summary>
    public void Clear()
    {
        for (var slot = 0; slot < _groupAt.Count; slot++) Remove(slot);
        _groupAt.Clear();
        _placeAt.Clear();
    }

    // The places are part of the state: which slot a random number picks depends on them.
    public void Save(MechanismState state, string name)
    {
        if (Count == 0) return;
        state.Tensors[$"{name}/keys"] = tensor(_keys.ToArray());
        state.Tensors[$"{name}/order"] = AsTensor(_placeBySize);
        if (_groupAt.Count == 0) return;
        state.Tensors[$"{name}/groups"] = AsTensor(_groupAt);
        state.Tensors[$"{name}/places"] = AsTensor(_placeAt);
    }

    public void Load(MechanismState state, string name)
    {
        if (!state.Tensors.TryGetValue($"{name}/keys", out var keys)) return;
        foreach (var key in keys.data<long>()) Group(key);
        if (state.Tensors.TryGetValue($"{name}/groups", out var groups))
        {
            _groupAt.AddRange(groups.data<long>().Select(group => (int)group));
            _placeAt.AddRange(state.Tensors[$"{name}/places"].data<long>().Select(place => (int)place));
        }
        foreach (var slot in Enumerable.Range(0, _groupAt.Count).OrderBy(slot => _placeAt[slot]))
            _slots[_groupAt[slot]].Add(slot);
        var order = state.Tensors[$"{name}/order"].data<long>().ToArray();
        _bySize.Clear();
        _bySize.Add([]);
        foreach (var group in Enumerable.Range(0, Count).OrderBy(group => order[group]))
        {
            var size = _slots[group].Count;
            while (_bySize.Count <= size) _bySize.Add([]);
            _placeBySize[group] = _bySize[size].Count;
            _bySize[size].Add(group);
            LargestSize = Math.Max(LargestSize, size);
        }
    }

    private void Resize(int group, int from, int to)
    {
        TakeOut(_bySize[from], _placeBySize[group], _placeBySize);
        if (_bySize.Count == to) _bySize.Add([]);
        _placeBySize[group] = _bySize[to].Count;
        _bySize[to].Add(group);
    }

    // The last item moves into the gap.
    private static void TakeOut(List<int> items, int place, List<int> placeOf)
    {
        var last = items[^1];
        items[place] = last;
        placeOf[last] = place;
        items.RemoveAt(items.Count - 1);
    }

    private static Tensor AsTensor(List<int> values) => tensor(values.ConvertAll(value => (long)value).ToArray());
}
