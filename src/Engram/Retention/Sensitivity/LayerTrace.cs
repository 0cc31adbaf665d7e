using Engram.Learning;
using Engram.Models;

namespace Engram.Retention.Sensitivity;

/// <summary>
/// Listens to the layers of a model, so that gradients per sample or per group of samples come out of one forward and one
/// backward pass over a batch.
/// </summary>
/// <remarks>
/// Only for models whose trainable parameters all belong to linear and convolutional layers (groups 1) and a linear head,
/// each run once per pass through <c>call</c>; <see cref="TryCreate"/> proves this on a few samples, so that tied weights
/// or layers used in other ways are found out and not miscounted.
/// </remarks>
internal sealed class LayerTrace
{
    private readonly ContinualModel _model;
    private readonly TracedLayer[] _layers;

    private LayerTrace(ContinualModel model, TracedLayer[] layers) => (_model, _layers) = (model, layers);

    /// <summary>Whether any layer is a convolution, whose working memory per sample is large.</summary>
    public bool HasConvolutions => _layers.Any(layer => layer is TracedConvolution);

    /// <summary>A trace of the model, or null where its gradients must be taken by autograd alone.</summary>
    /// <param name="context">The model; its mode is kept.</param>
    /// <param name="probe">A few scaled samples to check the algebra on, <c>[n, ...]</c>.</param>
    public static LayerTrace? TryCreate(LearningContext context, Tensor probe)
    {
        var slots = context.Arena.Slots.ToDictionary(slot => slot.Name);
        var layers = new List<TracedLayer>();
        foreach (var (name, module) in context.Model.named_modules())
        {
            var own = module.named_parameters(false).Select(p => $"{name}.{p.name}").Where(slots.ContainsKey).ToArray();
            if (own.Length == 0) continue;
            var (weight, bias) = (slots.GetValueOrDefault($"{name}.weight"), slots.GetValueOrDefault($"{name}.bias"));
            if (TracedLayer.Of(module, weight, bias) is not { } layer) return null;
            layers.Add(layer);
            foreach (var parameter in own) slots.Remove(parameter);
        }
        if (slots.Count > 0) return null;
        var trace = new LayerTrace(context.Model, [.. layers]);
        return trace.AgreesWithAutograd(context, probe) ? trace : null;
    }

    /// <summary>Runs the model.</summary>
    /// <param name="inputs">Scaled samples.</param>
    /// <returns>Logits <c>[n, classes]</c>, or null if a layer did not run exactly once.</returns>
    public Tensor? Forward(Tensor inputs)
    {
        foreach (var layer in _layers) layer.Listen();
        var precision = _model.Precision;
        _model.Precision = Precision.Float32; // layers in less do not run as modules, which is what can be listened to
        try
        {
            using var _ = enable_grad();
            var logits = _model.Head.call(_model.Backbone.call(inputs));
            return _layers.All(layer => layer.Calls == 1) ? logits : null;
        }
        finally
        {
            _model.Precision = precision;
            foreach (var layer in _layers) layer.Ignore();
        }
    }

    /// <summary>The gradients of every layer's output, given those of the logits.</summary>
    /// <param name="logits">From <see cref="Forward"/>.</param>
    /// <param name="gradient">Of the shape of the logits.</param>
    public IReadOnlyList<Tensor> Backward(Tensor logits, Tensor gradient) => [.. autograd.grad(
        [logits], [.. _layers.Select(layer => layer.Output)], [gradient], retain_graph: true)];

    /// <summary>Adds the powers of the per-sample gradients that belong to these gradients of outputs.</summary>
    public void Absorb(IReadOnlyList<Tensor> deltas, GradientPower power, Tensor flat)
    {
        for (var i = 0; i < _layers.Length; i++) _layers[i].Absorb(deltas[i], power, flat);
    }

    /// <summary>Completes the sums of the batch.</summary>
    public void Flush(GradientPower power, Tensor flat)
    {
        foreach (var layer in _layers) layer.Flush(power, flat);
    }

    /// <summary>Writes the gradient over the samples <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> − 1.</summary>
    public void Gradient(IReadOnlyList<Tensor> deltas, long first, long count, Tensor flat)
    {
        for (var i = 0; i < _layers.Length; i++) _layers[i].Gradient(deltas[i], first, count, flat);
    }

    private bool AgreesWithAutograd(LearningContext context, Tensor probe)
    {
        using var scope = NewDisposeScope();
        var (training, precision) = (_model.training, _model.Precision);
        _model.Precision = Precision.Float32;
        _model.eval(); // dropout would differ between the two passes
        try
        {
            if (Forward(probe) is not { } logits) return false;
            var cotangent = logits.detach().add(Held(1), alpha: Held(1));
            var deltas = Backward(logits, cotangent);
            using var _ = no_grad();
            var traced = zeros_like(context.Arena.Values);
            Gradient(deltas, 0, probe.size(0), traced);
            Tensor reference;
            using (enable_grad())
                reference = context.GradientOf(() => _model.forward(probe).mul(cotangent).sum());
            return traced.sub(reference).norm().item<float>() <= 1e-3 * reference.norm().item<float>();
        }
        finally
        {
            _model.Precision = precision;
            if (training) _model.TrainMode(context.Completed);
        }
    }
}
