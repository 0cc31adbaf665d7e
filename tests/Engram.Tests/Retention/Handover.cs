using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;

namespace Engram.Tests.Retention;

/// <summary>Passes every call on to a mechanism that can be put away and built again from its saved state.</summary>
internal sealed class Handover(Func<RetentionMechanism> create) : RetentionMechanism
{
    private RetentionMechanism _inner = create();

    public Action<long>? StepDone { get; set; }

    public override string Name => _inner.Name;
    public override Seams Seams => _inner.Seams;
    public override long MemoryBytes => _inner.MemoryBytes;

    public void SaveAndLoad(LearningContext context)
    {
        var state = new MechanismState();
        _inner.Save(state);
        var copy = new MechanismState { Values = System.Text.Json.Nodes.JsonNode.Parse(state.Values.ToJsonString())!.AsObject() };
        foreach (var (name, value) in state.Tensors) copy.Tensors[name] = value.clone();
        _inner.Dispose();
        _inner = create();
        _inner.AttachOnce(context);
        _inner.Restructure(context, copy);
        _inner.Load(context, copy);
    }

    protected internal override string? WhyNot(LearnerOptions options) => _inner.WhyNot(options);

    protected internal override bool MixesTasks => _inner.MixesTasks;
    protected internal override void Attach(LearningContext context) => _inner.AttachOnce(context);
    protected internal override ISampleSource ChooseTrainingData(LearningContext context) => _inner.ChooseTrainingData(context);
    protected internal override void BeforeGrowth(LearningContext context) => _inner.BeforeGrowth(context);
    protected internal override void OnGrowth(LearningContext context, ArenaChange change) => _inner.OnGrowth(context, change);
    protected internal override void BeginExperience(LearningContext context) => _inner.BeginExperience(context);
    protected internal override void AddSamples(TrainingStep step) => _inner.AddSamples(step);
    protected internal override void AddGradient(TrainingStep step) => _inner.AddGradient(step);
    protected internal override void ProjectGradient(TrainingStep step) => _inner.ProjectGradient(step);
    protected internal override void AfterStep(TrainingStep step)
    {
        _inner.AfterStep(step);
        StepDone?.Invoke(step.Number);
    }
    protected internal override void EndExperience(LearningContext context) => _inner.EndExperience(context);
    protected internal override void PrepareForward(LearningContext context, int? taskId) => _inner.PrepareForward(context, taskId);
    protected internal override void AfterForward(LearningContext context) => _inner.AfterForward(context);
    protected override void Dispose(bool disposing) => _inner.Dispose();
}
