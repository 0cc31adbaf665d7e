using Engram.Learning;
using Engram.Models;
using Engram.Persistence;

namespace Engram.Retention;

/// <summary>
/// A network beside the learner's model, with parameters in one flat vector, an optimiser of its own, and its parameters as
/// they were before the present experience.
/// </summary>
internal sealed class SideNetwork<TModule> : IDisposable where TModule : nn.Module
{
    private Tensor? _before;

    /// <summary>Takes over a module.</summary>
    public SideNetwork(TModule module, OptimizerOptions optimizer)
    {
        foreach (var parameter in module.parameters()) parameter.DetachFromDisposeScope();
        (Module, Arena, Optimizer) = (module, new ParameterArena(module), optimizer.Build());
    }

    public TModule Module { get; }

    public ParameterArena Arena { get; }

    public FlatOptimizer Optimizer { get; }

    public bool Remembers => _before is not null;

    public long Bytes => 4 * Arena.Length * (1 + Optimizer.Moments.Count + (_before is null ? 0 : 1));

    /// <summary>Keeps a copy of the parameters, to generate from while the network itself learns.</summary>
    public void Remember()
    {
        Forget();
        using var _ = no_grad();
        _before = Arena.Values.clone().DetachFromDisposeScope();
    }

    public void Forget()
    {
        _before?.Dispose();
        _before = null;
    }

    /// <summary>Makes the network what it was when it last remembered, until the result is disposed. No gradients meanwhile.</summary>
    public IDisposable AsBefore() => Arena.Borrow(_before ?? throw new InvalidOperationException("generator: nothing to go back to"));

    /// <summary>One optimiser step down a loss.</summary>
    public void Descend(Func<Tensor> loss)
    {
        using var scope = NewDisposeScope();
        using var _ = enable_grad();
        Arena.Gradient.zero_();
        loss().backward();
        Optimizer.Step(Arena);
    }

    /// <summary>Brings everything flat into a new layout, after parameters of the module grew.</summary>
    /// <returns>What moved where.</returns>
    public ArenaChange Relayout()
    {
        var change = Arena.Rebuild();
        Optimizer.Carry(change);
        if (_before is not null) _before = change.Carry(_before);
        return change;
    }

    public void Save(MechanismState state, string name)
    {
        state.Tensors[$"{name}.values"] = Arena.Values;
        if (_before is not null) state.Tensors[$"{name}.before"] = _before;
        foreach (var (moment, values) in Optimizer.Moments) state.Tensors[$"{name}.optimizer.{moment}"] = values;
        state.Values[$"{name}.steps"] = Optimizer.Steps;
    }

    public void Load(MechanismState state, string name)
    {
        using var _ = no_grad();
        var saved = state.Tensors[$"{name}.values"];
        if (!saved.shape.SequenceEqual(Arena.Values.shape))
            throw new FormatException($"{name}.values: {saved.numel()} numbers, expected {Arena.Length}");
        Arena.Values.copy_(saved);
        Forget();
        var prefix = $"{name}.optimizer.";
        foreach (var (key, tensor) in state.Tensors)
            if ((key == $"{name}.before" || key.StartsWith(prefix, StringComparison.Ordinal)) && !tensor.shape.SequenceEqual(saved.shape))
                throw new FormatException($"{key}: {tensor.numel()} numbers, expected {Arena.Length}");
        _before = state.Take($"{name}.before");
        Optimizer.Restore(
            state.Values.Value<long>($"{name}.steps"),
            state.Tensors.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal))
                .ToDictionary(key => key[prefix.Length..], key => state.Take(key)!));
    }

    public void Dispose()
    {
        Forget();
        Optimizer.Dispose();
        Arena.Dispose();
        Module.Dispose();
    }
}
