namespace Engram.Models;

/// <summary>
/// Puts all trainable parameters of a model into ONE flat tensor and their gradients into another; the parameters
/// become views. An optimiser step, a quadratic penalty or a projection is then a few vector operations.
/// </summary>
public sealed class ParameterArena : IDisposable
{
    private readonly nn.Module _module;
    private Tensor[] _parameters = [];
    private Tensor[] _views = []; // of Values, in the parameters' shapes: what they read when nothing is borrowed
    private Tensor[] _gradients = []; // of Gradient, in the parameters' shapes
    private FlatCompanion? _companion; // of the optimiser's next step
    private bool _companionBegan;

    /// <summary>Takes over the parameters of a module.</summary>
    /// <param name="module">All its trainable parameters must be float32.</param>
    public ParameterArena(nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        _module = module;
        Values = null!;
        Rebuild();
    }

    /// <summary>All parameter values, float32 <c>[Length]</c>.</summary>
    public Tensor Values { get; private set; }

    /// <summary>All gradients, float32 <c>[Length]</c>; autograd adds into it. What a penalty adds is there for who asks before the optimiser's step; after it anything may be.</summary>
    public Tensor Gradient
    {
        get
        {
            if (_companion is null || _companionBegan) return field;
            using var _ = no_grad();
            _companionBegan = true;
            _companion.Before(Values, field);
            return field;
        }
        private set;
    } = null!;

    /// <summary>Where each parameter lies, in order.</summary>
    public IReadOnlyList<ParameterSlot> Slots { get; private set; } = [];

    /// <summary>How many numbers there are.</summary>
    public long Length => Values.size(0);

    /// <summary>The slot of a parameter.</summary>
    /// <param name="name">Its name in the module, for example <c>head.weight</c>.</param>
    public ParameterSlot this[string name] => Slots.First(slot => slot.Name == name);

    /// <summary>Lays the parameters out anew, after some were added or grew; gradients become zero.</summary>
    /// <returns>What moved where, to carry vectors of the old layout over.</returns>
    public ArenaChange Rebuild()
    {
        using var _ = no_grad();
        var old = Slots;
        var parameters = _module.named_parameters().Where(p => p.parameter.requires_grad).ToArray();
        var slots = new List<ParameterSlot>();
        long offset = 0;
        foreach (var (name, parameter) in parameters)
        {
            if (parameter.dtype != ScalarType.Float32)
                throw new ArgumentException($"{name}: {parameter.dtype}, expected Float32");
            slots.Add(new ParameterSlot(name, offset, parameter.shape));
            offset += parameter.numel();
        }
        var values = empty(offset).DetachFromDisposeScope();
        var gradient = zeros(offset).DetachFromDisposeScope();
        foreach (var view in _views.Concat(_gradients)) view.Dispose();
        (_parameters, _views) = ([.. parameters.Select(p => p.parameter)], new Tensor[slots.Count]);
        _gradients = new Tensor[slots.Count];
        using (NewDisposeScope())
        {
            // Frozen since the last layout: a copy of their own, so that the old vector can go.
            foreach (var (name, parameter) in _module.named_parameters())
                if (!parameter.requires_grad && old.Any(slot => slot.Name == name)) parameter.set_(parameter.clone());
            for (var i = 0; i < _views.Length; i++)
            {
                _views[i] = slots[i].Of(values).DetachFromDisposeScope();
                _views[i].copy_(_parameters[i]);
                _parameters[i].set_(_views[i]);
                _gradients[i] = slots[i].Of(gradient).DetachFromDisposeScope();
                _parameters[i].grad = _gradients[i];
            }
        }
        var (oldValues, oldGradient) = (Values, Gradient);
        (Values, Gradient, Slots) = (values, gradient, slots);
        oldValues?.Dispose();
        oldGradient?.Dispose();
        return new ArenaChange(old, slots);
    }

    /// <summary>Runs the backward pass of a loss and puts its gradient in place of the last.</summary>
    /// <param name="loss">A scalar that autograd built.</param>
    /// <param name="target">float32 <c>[Length]</c> that receives the gradient; null means <see cref="Gradient"/>, which is left alone otherwise.</param>
    public void Backward(Tensor loss, Tensor? target = null)
    {
        ArgumentNullException.ThrowIfNull(loss);
        using var scope = NewDisposeScope();
        // Autograd adds to a gradient that is there, which asks for zeros first and reads both again. One that is not there
        // it hands over as it made it: written once, then moved to its place.
        foreach (var parameter in _parameters) parameter.grad = null;
        if (target is null) _companion = null; // of a step that failed
        try
        {
            loss.backward();
            using var _ = no_grad();
            for (var i = 0; i < _parameters.Length; i++)
            {
                var place = target is null ? _gradients[i] : Slots[i].Of(target);
                if (_parameters[i].grad is { } own) place.copy_(own);
                else place.zero_();
            }
        }
        finally
        {
            for (var i = 0; i < _parameters.Length; i++) _parameters[i].grad = _gradients[i];
        }
    }

    /// <summary>Makes the parameters read other values until the result is disposed. For forward passes only.</summary>
    /// <param name="values">float32 <c>[Length]</c> in the present layout.</param>
    public IDisposable Borrow(Tensor values)
    {
        ArgumentNullException.ThrowIfNull(values);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        for (var i = 0; i < _parameters.Length; i++) _parameters[i].set_(Slots[i].Of(values));
        return new Loan(this);
    }

    /// <summary>Has something go along with the optimiser's next step, or begin where somebody asks for <see cref="Gradient"/> before.</summary>
    internal void Accompany(FlatCompanion companion)
    {
        if (_companion is not null) throw new InvalidOperationException("companion: there is one, expected one a step");
        (_companion, _companionBegan) = (companion, false);
    }

    /// <summary>Hands the companion over to the optimiser, or null where there is none, and whether it has begun.</summary>
    internal (FlatCompanion? Companion, bool HasBegun) TakeCompanion()
    {
        var taken = (_companion, _companionBegan);
        _companion = null;
        return taken;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var view in _views.Concat(_gradients)) view.Dispose();
        Values.Dispose();
        Gradient.Dispose();
    }

    private void Return()
    {
        using var _ = no_grad();
        for (var i = 0; i < _parameters.Length; i++) _parameters[i].set_(_views[i]);
    }

    private sealed class Loan(ParameterArena arena) : IDisposable
    {
        public void Dispose() => arena.Return();
    }
}

/// <summary>Where one parameter lies in the arena.</summary>
/// <param name="Name">Its name in the module.</param>
/// <param name="Offset">Its first number.</param>
/// <param name="Shape">Its shape.</param>
public sealed record ParameterSlot(string Name, long Offset, long[] Shape)
{
    /// <summary>How many numbers it has.</summary>
    public long Length => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>The part of a flat vector that belongs to this parameter, as a view of its shape.</summary>
    /// <param name="flat">A vector in the arena's layout.</param>
    public Tensor Of(Tensor flat)
    {
        ArgumentNullException.ThrowIfNull(flat);
        return flat.narrow(0, Offset, Length).view(Shape);
    }
}

/// <summary>How the layout changed when a head grew or parameters were added.</summary>
/// <param name="Old">The slots before.</param>
/// <param name="New">The slots after.</param>
public sealed record ArenaChange(IReadOnlyList<ParameterSlot> Old, IReadOnlyList<ParameterSlot> New)
{
    /// <summary>A vector of the old layout in the new one; what did not exist before comes from <paramref name="fresh"/>.</summary>
    /// <param name="vector">float32 in the old layout; it is disposed.</param>
    /// <param name="fresh">float32 in the new layout, for new places; null means zeros.</param>
    public Tensor Carry(Tensor vector, Tensor? fresh = null)
    {
        ArgumentNullException.ThrowIfNull(vector);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var last = New.Count == 0 ? 0 : New[^1].Offset + New[^1].Length;
        var carried = fresh is null ? zeros(last) : fresh.clone();
        foreach (var slot in New)
        {
            if (Old.FirstOrDefault(old => old.Name == slot.Name) is not { } before) continue;
            var (source, target) = (before.Of(vector), slot.Of(carried));
            for (var d = 0; d < slot.Shape.Length; d++)
                if (before.Shape[d] < slot.Shape[d])
                    target = target.narrow(d, 0, before.Shape[d]);
            target.copy_(source);
        }
        vector.Dispose();
        return carried.DetachFromDisposeScope();
    }
}
