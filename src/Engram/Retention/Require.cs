using Engram.Data;
using Engram.Models;
using Engram.Streams;
using TorchSharp.Modules;

namespace Engram.Retention;

/// <summary>What only the model or the experience can tell: reasons to refuse it before anything is learnt.</summary>
internal static class Require
{
    /// <summary>Why an experience whose targets are no classes is refused; null where they are.</summary>
    /// <param name="experience">The new one.</param>
    /// <param name="mechanism">Who asks.</param>
    public static string? Classes(Experience experience, string mechanism) =>
        experience.Train.TargetKind == TargetKind.Classes
            ? null
            : $"targets are {experience.Train.TargetKind}, expected Classes by {mechanism}";

    /// <summary>Throws where running statistics of batch normalisation would follow the newest data beside weights that are fixed.</summary>
    /// <param name="model">The learner's.</param>
    /// <param name="mechanism">Who asks.</param>
    public static void FixedStatistics(ContinualModel model, string mechanism)
    {
        if (model is { FreezeBatchNorm: Freeze.Never, FreezeBackbone: Freeze.Never } && model.Backbone.modules().OfType<NormBase>().Any())
            throw new ArgumentException($"model: FreezeBatchNorm is Never, expected AfterFirstExperience for {mechanism}");
    }
}
