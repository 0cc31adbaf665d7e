using Engram.Models;
using TorchSharp.Modules;

namespace Engram.Retention.Sensitivity;

/// <summary>Which norm of the per-sample gradients is summed.</summary>
internal enum GradientPower
{
    /// <summary>|g|, as MAS asks.</summary>
    Absolute,

    /// <summary>g², as the Fisher information asks.</summary>
    Squared,
}

/// <summary>
/// One layer whose per-sample weight gradients follow from its input a and the gradient δ of its output: the gradient of
/// sample i is δ_i a_iᵀ, so that Σ_i (δ_i a_iᵀ)² = (δ²)ᵀ(a²) without ever forming one sample's gradient.
/// </summary>
/// <param name="module">Its module, to listen to.</param>
/// <param name="weight">Where its weight lies in the arena; null where it is frozen.</param>
/// <param name="bias">Where its bias lies in the arena; null where there is none or it is frozen.</param>
internal abstract class TracedLayer(nn.Module<Tensor, Tensor> module, ParameterSlot? weight, ParameterSlot? bias)
{
    private nn.HookableModule<Func<nn.Module<Tensor, Tensor>, Tensor, Tensor>,
        Func<nn.Module<Tensor, Tensor>, Tensor, Tensor, Tensor>>.HookRemover? _hook;

    /// <summary>How often the layer ran in the last forward pass; the algebra holds for exactly one. An input that does not fit counts as two.</summary>
    public int Calls { get; private set; }

    /// <summary>Its output in the last forward pass, part of the graph.</summary>
    public Tensor Output { get; private set; } = null!;

    protected Tensor Input { get; private set; } = null!;

    protected ParameterSlot? Weight { get; } = weight;

    protected ParameterSlot? Bias { get; } = bias;

    /// <summary>The traced form of a module with parameters, or null if its algebra is not known here.</summary>
    public static TracedLayer? Of(nn.Module module, ParameterSlot? weight, ParameterSlot? bias) => module switch
    {
        Linear linear => new TracedLinear(linear, weight, bias),
        LinearHead head => new TracedLinear(head, weight, bias),
        Conv2d { groups: 1, padding_type: null, padding_mode: PaddingModes.Zeros } convolution =>
            new TracedConvolution(convolution, weight, bias),
        _ => null,
    };

    /// <summary>Listens to the next forward pass.</summary>
    public void Listen()
    {
        Calls = 0;
        _hook = module.register_forward_hook((_, input, output) =>
        {
            Calls += Fits(input) ? 1 : 2;
            (Input, Output) = (input.detach(), output);
            return output.clone(); // in-place activations that follow must not overwrite what gradients are asked for
        });
    }

    /// <summary>Stops listening.</summary>
    public void Ignore()
    {
        _hook?.remove();
        _hook = null;
        Forget();
    }

    /// <summary>Adds the powers of one per-sample gradient, given δ for the whole batch.</summary>
    /// <param name="delta">Gradient of <see cref="Output"/>, of its shape.</param>
    /// <param name="power">Which power.</param>
    /// <param name="flat">Receives the sum, at the latest on <see cref="Flush"/>.</param>
    public abstract void Absorb(Tensor delta, GradientPower power, Tensor flat);

    /// <summary>Brings into the sum what <see cref="Absorb"/> held back.</summary>
    /// <param name="power">Which power.</param>
    /// <param name="flat">Receives the sum.</param>
    public abstract void Flush(GradientPower power, Tensor flat);

    /// <summary>Writes the gradient summed over some samples.</summary>
    /// <param name="delta">Gradient of <see cref="Output"/>, all samples.</param>
    /// <param name="first">First sample.</param>
    /// <param name="count">How many.</param>
    /// <param name="flat">Its place in this vector is overwritten.</param>
    public abstract void Gradient(Tensor delta, long first, long count, Tensor flat);

    /// <summary>Whether the algebra holds for an input of this shape.</summary>
    protected virtual bool Fits(Tensor input) => true;

    /// <summary>Drops what was derived from an earlier input.</summary>
    protected virtual void Forget() { }

    protected static Tensor Power(Tensor values, GradientPower power) =>
        power == GradientPower.Squared ? values.pow(Held(2)) : values.abs();
}

/// <summary>A linear layer over <c>[samples, features]</c>.</summary>
internal sealed class TracedLinear(nn.Module<Tensor, Tensor> module, ParameterSlot? weight, ParameterSlot? bias)
    : TracedLayer(module, weight, bias)
{
    private Tensor? _pending;

    public override void Absorb(Tensor delta, GradientPower power, Tensor flat)
    {
        // The input is the same for all gradients of a batch: sum the powers of δ first, multiply once.
        var powered = Power(delta, power);
        _pending = _pending is null ? powered : _pending.add_(powered, alpha: Held(1));
    }

    public override void Flush(GradientPower power, Tensor flat)
    {
        if (_pending is null) return;
        if (Weight is not null) Weight.Of(flat).addmm_(_pending.t(), Power(Input, power), 1, 1);
        if (Bias is not null) Bias.Of(flat).add_(_pending.sum([0]), alpha: Held(1));
        _pending = null;
    }

    public override void Gradient(Tensor delta, long first, long count, Tensor flat)
    {
        var rows = delta.narrow(0, first, count);
        if (Weight is not null) Weight.Of(flat).addmm_(rows.t(), Input.narrow(0, first, count), 0, 1);
        if (Bias is not null) Bias.Of(flat).copy_(rows.sum([0]));
    }

    protected override bool Fits(Tensor input) => input.dim() == 2;

    protected override void Forget() => _pending = null;
}

/// <summary>A convolution: its weight gradient of one sample is δ_i · unfold(a_i)ᵀ, a sum over places, so it is formed and then raised.</summary>
internal sealed class TracedConvolution(Conv2d module, ParameterSlot? weight, ParameterSlot? bias)
    : TracedLayer(module, weight, bias)
{
    private Tensor? _patches; // [samples, places, in · kernel]

    public override void Absorb(Tensor delta, GradientPower power, Tensor flat)
    {
        using var scope = NewDisposeScope();
        var places = delta.flatten(2); // [samples, out, places]
        if (Weight is not null)
            Weight.Of(flat).add_(Power(bmm(places, Patches()), power).sum([0]).view(Weight.Shape), alpha: Held(1));
        if (Bias is not null) Bias.Of(flat).add_(Power(places.sum(2), power).sum([0]), alpha: Held(1));
    }

    public override void Flush(GradientPower power, Tensor flat) { }

    public override void Gradient(Tensor delta, long first, long count, Tensor flat)
    {
        using var scope = NewDisposeScope();
        var places = delta.narrow(0, first, count).flatten(2);
        if (Weight is not null)
            Weight.Of(flat).copy_(bmm(places, Patches().narrow(0, first, count)).sum([0]).view(Weight.Shape));
        if (Bias is not null) Bias.Of(flat).copy_(places.sum([0, 2]));
    }

    protected override void Forget() => _patches = null;

    private Tensor Patches()
    {
        if (_patches is not null) return _patches;
        var (kernel, dilation) = (module.kernel_size, module.dilation);
        var (padding, stride) = (module.padding!, module.stride);
        var unfolded = nn.functional.unfold(
            Input, (kernel[0], kernel[1]), (dilation[0], dilation[1]), (padding[0], padding[1]), (stride[0], stride[1]));
        return _patches = unfolded.transpose(1, 2).MoveToOuterDisposeScope();
    }
}
