using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>The places where a mechanism takes part in learning.</summary>
[Flags]
public enum Seams
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Adds kept samples to the batch.</summary>
    Samples = 1,

    /// <summary>Adds a loss term through autograd.</summary>
    ExtraLoss = 2,

    /// <summary>Replaces the classification loss of a part; only one mechanism may.</summary>
    Loss = 4,

    /// <summary>Adds to the flat gradient in closed form.</summary>
    Gradient = 8,

    /// <summary>Changes the flat gradient as a whole (projection, masks).</summary>
    Projection = 16,

    /// <summary>Replaces prediction; only one mechanism may.</summary>
    Prediction = 32,

    /// <summary>Chooses what is trained on; only one mechanism may.</summary>
    TrainingData = 64,

    /// <summary>Sets or changes parameters outside the gradient.</summary>
    Parameters = 128,

    /// <summary>Changes the forward pass by task (gates, masks); only one mechanism may.</summary>
    Forward = 256,
}

/// <summary>What stands between old knowledge and new gradients. Mechanisms compose in one learner.</summary>
/// <remarks>
/// Every method has an empty default. Within a step the order is: <see cref="AddSamples"/>,
/// <see cref="BeforeForward"/>, forward pass, <see cref="ReplaceLoss"/>, <see cref="ExtraLoss"/>, backward pass, <see cref="AddGradient"/>,
/// <see cref="ProjectGradient"/>, clipping, optimiser, <see cref="AfterStep"/>. An exception ends the step and leaves the
/// learner where the step began its last phase; mechanisms keep no state that a repeated step would spoil.
/// State that outlives a step must be detached from dispose scopes, and named in <see cref="Save"/>.
/// </remarks>
public abstract class RetentionMechanism : IDisposable
{
    private bool _attached;

    /// <summary>Short name for tables and files, for example <c>ewc</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Where this mechanism takes part.</summary>
    public abstract Seams Seams { get; }

    /// <summary>
    /// The options it was made with, or null. A bundle keeps them beside the state, so that a learner made otherwise is refused, and what
    /// takes part in prediction can be made again from the bundle alone.
    /// </summary>
    protected internal virtual object? Recipe => null;

    /// <summary>Bytes of state held now: samples, anchors, importances, teachers.</summary>
    public abstract long MemoryBytes { get; }

    /// <summary>Samples of the stream held now, in whatever form.</summary>
    public virtual long SamplesStored => 0;

    /// <summary>The same by class, in any order; a class may come more than once. Only asked where targets are classes.</summary>
    /// <param name="context">The learner's context.</param>
    protected internal virtual IEnumerable<(int ClassId, int Count)> StoredByClass(LearningContext context) => [];

    /// <summary>Why this mechanism cannot work with these options, or null: "needs ..., expected ...".</summary>
    /// <param name="options">The learner's options.</param>
    protected internal virtual string? WhyNot(LearnerOptions options) => null;

    /// <summary>Why this mechanism cannot learn an experience, or null: "targets are ..., expected ...". Asked before anything changes.</summary>
    /// <param name="experience">The new one.</param>
    protected internal virtual string? WhyNot(Experience experience) => null;

    /// <summary>Why this mechanism cannot work beside another, or null: "does ..., expected ...".</summary>
    /// <param name="other">Another mechanism of the same learner.</param>
    protected internal virtual string? WhyNotBeside(RetentionMechanism other) => null;

    /// <summary>Whether it reads the gradient in <see cref="AddGradient"/> as that of the loss alone, so that it must come before penalties.</summary>
    protected internal virtual bool ReadsLossGradient => false;

    /// <summary>
    /// Whether it sends samples of several tasks through the model in one pass, so that no mechanism beside it may change the forward
    /// pass by task. As long as it is not overridden its seams tell: samples, an extra loss or training data of its own.
    /// </summary>
    protected internal virtual bool MixesTasks => (Seams & (Seams.Samples | Seams.ExtraLoss | Seams.TrainingData)) != 0;

    /// <summary>Called once, when the learner is built; again with another learner's where this one is refused after all.</summary>
    /// <param name="context">The learner's context.</param>
    protected internal virtual void Attach(LearningContext context) { }

    /// <summary>What to train on; called before <see cref="BeginExperience"/>.</summary>
    /// <param name="context">The experience is <see cref="LearningContext.Experience"/>.</param>
    protected internal virtual ISampleSource ChooseTrainingData(LearningContext context) =>
        context?.Experience.Train ?? throw new ArgumentNullException(nameof(context));

    /// <summary>Passes over what <see cref="ChooseTrainingData"/> chose, or null for the learner's own number.</summary>
    /// <param name="context">The experience is <see cref="LearningContext.Experience"/>.</param>
    protected internal virtual int? ChooseEpochs(LearningContext context) => null;

    /// <summary>Whether the optimiser forgets its moments at the start of every experience, as training from scratch needs.</summary>
    protected internal virtual bool ForgetsMoments => false;

    /// <summary>Called before the head grows for this experience: the model is still the one that learnt the last.</summary>
    /// <param name="context">The experience is the new one.</param>
    protected internal virtual void BeforeGrowth(LearningContext context) { }

    /// <summary>Called when the layout of the arena changed; carry every flat vector over.</summary>
    /// <param name="context">The model has grown.</param>
    /// <param name="change">What moved where.</param>
    protected internal virtual void OnGrowth(LearningContext context, ArenaChange change) { }

    /// <summary>Called before the first step of an experience.</summary>
    /// <param name="context">The experience's classes are registered.</param>
    protected internal virtual void BeginExperience(LearningContext context) { }

    /// <summary>Adds kept samples to <see cref="TrainingStep.Parts"/>.</summary>
    /// <param name="step">Before the forward pass.</param>
    protected internal virtual void AddSamples(TrainingStep step) { }

    /// <summary>Called when all samples are there: teachers run their forward pass, weights of parts may be changed.</summary>
    /// <param name="step">Before the forward pass, with all <see cref="TrainingStep.Parts"/>.</param>
    protected internal virtual void BeforeForward(TrainingStep step) { }

    /// <summary>The loss of one part instead of the usual one, or null to keep the usual one.</summary>
    /// <param name="step">After the forward pass.</param>
    /// <param name="part">The part.</param>
    protected internal virtual Tensor? ReplaceLoss(TrainingStep step, BatchPart part) => null;

    /// <summary>A further loss term, or null.</summary>
    /// <param name="step">After the forward pass.</param>
    protected internal virtual Tensor? ExtraLoss(TrainingStep step) => null;

    /// <summary>Adds to the flat gradient in closed form; gradients are off.</summary>
    /// <param name="step">After the backward pass.</param>
    protected internal virtual void AddGradient(TrainingStep step) { }

    /// <summary>Changes the flat gradient as a whole.</summary>
    /// <param name="step">After all gradients were added.</param>
    protected internal virtual void ProjectGradient(TrainingStep step) { }

    /// <summary>Called after the optimiser's step; gradients are off.</summary>
    /// <param name="step">The step just done.</param>
    protected internal virtual void AfterStep(TrainingStep step) { }

    /// <summary>Called after the last step of an experience; last of all the mechanism that chose the training data.</summary>
    /// <param name="context">The experience just learnt.</param>
    /// <remarks>
    /// What it throws ends <see cref="Learner.Learn"/>, which then, called again, goes on with this mechanism and leaves out those
    /// that have ended. So it reads samples first and changes state last.
    /// </remarks>
    protected internal virtual void EndExperience(LearningContext context) { }

    /// <summary>Called before a forward pass of one task, in training and in prediction.</summary>
    /// <param name="context">The learner's context.</param>
    /// <param name="taskId">The task, where it is known.</param>
    protected internal virtual void PrepareForward(LearningContext context, int? taskId) { }

    /// <summary>Called after the forward pass of a prediction: undoes what <see cref="PrepareForward"/> must not leave behind.</summary>
    /// <param name="context">The learner's context.</param>
    protected internal virtual void AfterForward(LearningContext context) { }

    /// <summary>Scores instead of logits, or null to keep the logits; gradients are off.</summary>
    /// <param name="context">The learner's context.</param>
    /// <param name="features"><c>[n, features]</c>.</param>
    /// <param name="logits"><c>[n, classes]</c>.</param>
    protected internal virtual Tensor? Score(LearningContext context, Tensor features, Tensor logits) => null;

    /// <summary>Names all state, to save it.</summary>
    /// <param name="state">Receives tensors and values.</param>
    protected internal virtual void Save(MechanismState state) { }

    /// <summary>
    /// Called before the parameters are restored: brings a freshly built model to the structure it was saved with.
    /// </summary>
    /// <param name="context">The learner's context.</param>
    /// <param name="state">What <see cref="Save"/> named.</param>
    protected internal virtual void Restructure(LearningContext context, MechanismState state) { }

    /// <summary>Puts saved state back.</summary>
    /// <param name="context">The learner's context; its classes and parameters are restored already.</param>
    /// <param name="state">What <see cref="Save"/> named.</param>
    protected internal virtual void Load(LearningContext context, MechanismState state) { }

    /// <summary>Frees state.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees state.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing) { }

    internal void AttachOnce(LearningContext context) => AttachAll([this], context);

    // All or none: what a refused learner was given can be given to another.
    internal static void AttachAll(IReadOnlyList<RetentionMechanism> mechanisms, LearningContext context)
    {
        if (mechanisms.FirstOrDefault(mechanism => mechanism._attached) is { } used)
            throw new ArgumentException($"mechanisms: {used.Name} already belongs to another learner, expected a new one");
        foreach (var mechanism in mechanisms) mechanism.Attach(context);
        foreach (var mechanism in mechanisms) mechanism._attached = true;
    }
}
