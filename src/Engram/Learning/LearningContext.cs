using Engram.Data;
using Engram.Models;
using Engram.Streams;

namespace Engram.Learning;

/// <summary>What mechanisms may see and use of their learner.</summary>
public sealed class LearningContext
{
    internal LearningContext(ContinualModel model, LearnerOptions options)
    {
        (Model, Options, Classes) = (model, options, new ClassRegistry());
        foreach (var parameter in model.parameters()) parameter.DetachFromDisposeScope();
        foreach (var buffer in model.buffers()) buffer.DetachFromDisposeScope();
        model.ApplyFreezing(0);
        try
        {
            model.Precision = options.Precision;
        }
        catch (ArgumentException)
        {
            model.Dispose(); // nobody else has it
            throw;
        }
        Arena = new ParameterArena(model);
        Targets = new TargetSpace(this);
    }

    /// <summary>The model.</summary>
    public ContinualModel Model { get; }

    /// <summary>Its parameters and gradient, flat.</summary>
    public ParameterArena Arena { get; }

    /// <summary>The labels and their ids.</summary>
    public ClassRegistry Classes { get; }

    /// <summary>How the learner trains.</summary>
    public LearnerOptions Options { get; }

    /// <summary>Targets, masks and losses.</summary>
    public TargetSpace Targets { get; }

    /// <summary>The experience being learnt, or learnt last.</summary>
    public Experience Experience { get; internal set; } = null!;

    /// <summary>What is trained on: the experience's samples, unless a mechanism chose otherwise.</summary>
    public ISampleSource Source { get; internal set; } = null!;

    /// <summary>The ids of the classes in <see cref="Experience"/>.</summary>
    public IReadOnlyList<int> ClassIds { get; internal set; } = [];

    /// <summary>How many classes were known before this experience: ids below are old.</summary>
    public int KnownBefore { get; internal set; }

    /// <summary>How many experiences have been learnt to their end.</summary>
    public int Completed { get; internal set; }

    /// <summary>Steps that this experience takes.</summary>
    public long TotalSteps { get; internal set; }

    /// <summary>Whether a mechanism added, froze or removed parameters in <c>BeforeGrowth</c>, so that the arena must be laid out anew.</summary>
    public bool StructureChanged { get; set; }

    /// <summary>Fetches training samples outside the loop, ready for the model, for work before or after training.</summary>
    /// <param name="indices">Indices into <see cref="Source"/>.</param>
    public BatchPart Fetch(ReadOnlySpan<long> indices) => Targets.Prepare(Source.Gather(indices));

    /// <summary>The gradient of a loss at the present parameters, as a flat vector; <see cref="ParameterArena.Gradient"/> is kept.</summary>
    /// <param name="loss">Builds the loss with autograd.</param>
    /// <returns>float32 in the arena's layout, in the caller's scope.</returns>
    public Tensor GradientOf(Func<Tensor> loss)
    {
        ArgumentNullException.ThrowIfNull(loss);
        using var scope = NewDisposeScope();
        var gradient = empty_like(Arena.Gradient);
        Arena.Backward(loss(), gradient);
        return gradient.MoveToOuterDisposeScope();
    }
}
