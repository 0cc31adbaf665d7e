using TorchSharp.Modules;

namespace Engram.Models;

/// <summary>From when on a part of a model no longer learns.</summary>
public enum Freeze
{
    /// <summary>It always learns.</summary>
    Never,

    /// <summary>It never learns: pre-trained.</summary>
    FromStart,

    /// <summary>It learns in the first experience only.</summary>
    AfterFirstExperience,
}

/// <content>What of the model learns, and when.</content>
public sealed partial class ContinualModel
{
    /// <summary>From when on the backbone is fixed: its parameters leave the arena and it stays in evaluation mode.</summary>
    /// <value>Default <see cref="Freeze.Never"/>.</value>
    public Freeze FreezeBackbone { get; init; }

    /// <summary>From when on the running statistics of batch normalisation are used and no longer updated; its γ and β go on learning.</summary>
    /// <value>
    /// Default <see cref="Freeze.Never"/>. Statistics that follow the newest data are one of the ways in which models forget;
    /// freezing them after the first experience suits penalties and distillation, replay keeps them in balance itself.
    /// </value>
    public Freeze FreezeBatchNorm { get; init; }

    /// <summary>Takes gradients off the backbone where it is time; the arena must be rebuilt when the result is true.</summary>
    /// <param name="completed">Experiences learnt to their end.</param>
    /// <returns>Whether parameters stopped learning by this call.</returns>
    public bool ApplyFreezing(int completed)
    {
        if (!IsDue(FreezeBackbone, completed)) return false;
        var changed = false;
        foreach (var parameter in Backbone.parameters().Where(parameter => parameter.requires_grad))
        {
            parameter.requires_grad = false;
            changed = true;
        }
        return changed;
    }

    /// <summary>Training mode, but for the parts that are frozen.</summary>
    /// <param name="completed">Experiences learnt to their end.</param>
    internal void TrainMode(int completed)
    {
        train();
        if (IsDue(FreezeBackbone, completed)) Backbone.eval();
        if (!IsDue(FreezeBatchNorm, completed)) return;
        foreach (var module in modules().OfType<NormBase>()) module.eval();
    }

    private static bool IsDue(Freeze freeze, int completed) =>
        freeze == Freeze.FromStart || (freeze == Freeze.AfterFirstExperience && completed > 0);
}
