using Engram.Models;

namespace Engram.Retention;

/// <summary>Places of the flat parameter vector that keep their values bit by bit, whatever gradient, momentum or decay say.</summary>
public sealed class FrozenPlaces : IDisposable
{
    private Tensor? _mask;
    private Tensor? _values;

    /// <summary>Bytes of the mask and the values.</summary>
    public long Bytes => _mask is null ? 0 : 5 * _mask.numel();

    /// <summary>Which places are frozen, Bool <c>[Length]</c>; null before <see cref="Set"/>.</summary>
    public Tensor? Mask => _mask;

    /// <summary>Freezes places at their present values, and no others.</summary>
    /// <param name="mask">Bool <c>[Length]</c>; copied.</param>
    /// <param name="arena">The parameters.</param>
    public void Set(Tensor mask, ParameterArena arena)
    {
        ArgumentNullException.ThrowIfNull(mask);
        ArgumentNullException.ThrowIfNull(arena);
        Dispose();
        _mask = mask.clone().DetachFromDisposeScope();
        _values = arena.Values.clone().DetachFromDisposeScope();
    }

    /// <summary>Makes the gradient zero where places are frozen.</summary>
    /// <param name="arena">The gradient.</param>
    public void MaskGradient(ParameterArena arena)
    {
        ArgumentNullException.ThrowIfNull(arena);
        if (_mask is not null) arena.Gradient.masked_fill_(_mask, Held(0));
    }

    /// <summary>Puts the values back: momentum and weight decay move parameters without a gradient too.</summary>
    /// <param name="arena">The parameters.</param>
    public void Restore(ParameterArena arena)
    {
        ArgumentNullException.ThrowIfNull(arena);
        if (_mask is null) return;
        using var scope = NewDisposeScope();
        arena.Values.copy_(where(_mask, _values!, arena.Values));
    }

    /// <summary>Names the mask, to save it; the values are those of the parameters.</summary>
    /// <param name="state">Receives it.</param>
    public void Save(MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (_mask is not null) state.Tensors["frozen"] = _mask;
    }

    /// <summary>Puts a saved mask back.</summary>
    /// <param name="state">What <see cref="Save"/> named.</param>
    /// <param name="arena">The restored parameters.</param>
    public void Load(MechanismState state, ParameterArena arena)
    {
        ArgumentNullException.ThrowIfNull(state);
        Dispose();
        if (state.Tensors.TryGetValue("frozen", out var mask)) Set(mask, arena);
    }

    /// <summary>Lets all places go.</summary>
    public void Dispose()
    {
        _mask?.Dispose();
        _values?.Dispose();
        (_mask, _values) = (null, null);
    }

    /// <summary>A mask of head rows that belong to other classes than those of the experience.</summary>
    /// <param name="context">The experience's classes are registered and have rows.</param>
    /// <returns>Bool <c>[Length]</c>, in the caller's scope; the backbone's places are false.</returns>
    internal static Tensor ForeignRows(Learning.LearningContext context)
    {
        var mask = zeros(context.Arena.Length, ScalarType.Bool);
        var rows = new bool[context.Model.Head.ClassCount];
        for (var id = 0; id < rows.Length; id++) rows[id] = !context.ClassIds.Contains(id);
        using var foreign = tensor(rows);
        foreach (var slot in context.Arena.Slots.Where(slot => IsHead(slot)))
        {
            var perRow = slot.Shape[0] == rows.Length;
            if (perRow) slot.Of(mask).copy_(foreign.view([rows.Length, .. slot.Shape[1..].Select(_ => 1L)]).expand(slot.Shape));
            else slot.Of(mask).fill_(Held(context.Completed > 0));
        }
        return mask;
    }

    internal static bool IsHead(ParameterSlot slot) => slot.Name.StartsWith("head.", StringComparison.Ordinal);
}
