#!/usr/bin/env bash
# An API made with the AWS CLI alone, from nothing to an answer. ADMIN and DATA are the two listeners' addresses.
set -euo pipefail
export AWS_ENDPOINT_URL_API_GATEWAY=$ADMIN AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any

api=$(aws apigateway create-rest-api --name pets --query id --output text)
root=$(aws apigateway get-resources --rest-api-id "$api" --query 'items[?path==`/`].id' --output text)
pets=$(aws apigateway create-resource --rest-api-id "$api" --parent-id "$root" --path-part pets --query id --output text)
aws apigateway put-method --rest-api-id "$api" --resource-id "$pets" --http-method GET --authorization-type NONE
aws apigateway put-method-response --rest-api-id "$api" --resource-id "$pets" --http-method GET --status-code 200
aws apigateway put-integration --rest-api-id "$api" --resource-id "$pets" --http-method GET --type MOCK \
  --request-templates '{"application/json": "{\"statusCode\": 200}"}'
aws apigateway put-integration-response --rest-api-id "$api" --resource-id "$pets" --http-method GET --status-code 200 \
  --response-templates '{"application/json": "[{\"id\": 1, \"stage\": \"$context.stage\"}]"}'
aws apigateway create-deployment --rest-api-id "$api" --stage-name prod
curl -fsS "http://$api.execute-api.localhost:${DATA##*:}/prod/pets"
